"""Metrics and suites that score the reconstruction."""
