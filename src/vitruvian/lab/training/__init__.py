"""Recipes that train the networks of our own, and the loop, data sources and export they share."""
