"""Fitting the body to what is seen of somebody."""
