"""Many runs: which a grid comes down to, where each is done, and the tables of them all."""
