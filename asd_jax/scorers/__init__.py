"""Scorers: from a representation to an anomaly score; higher is more anomalous."""
