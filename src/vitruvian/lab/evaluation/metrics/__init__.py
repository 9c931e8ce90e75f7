"""Metrics: one module per kind, each function with its definition and source."""
