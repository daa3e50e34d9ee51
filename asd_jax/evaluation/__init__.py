"""From scores and labels to measures: typed results that `metrics.json` holds and reads back."""
