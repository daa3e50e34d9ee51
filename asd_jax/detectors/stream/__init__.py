"""What listens for months: each file turns a stream, of samples or of scores, into something of bounded size."""
