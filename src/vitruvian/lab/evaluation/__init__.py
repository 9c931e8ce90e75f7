"""Metrics and benchmarks: how good the results are."""
