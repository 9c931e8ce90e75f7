"""Recipes that train our own networks on synthetic people."""
