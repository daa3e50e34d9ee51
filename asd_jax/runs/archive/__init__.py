"""From any number of recordings to a table of verdicts in Parquet, shard by shard, on one machine or on many."""
