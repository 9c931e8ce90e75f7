"""The parametric body, its fit to a figure, and what is measured on it."""
