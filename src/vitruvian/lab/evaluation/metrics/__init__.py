"""What the numbers mean: one module per kind of metric, each function with its definition."""
