"""Placing people in one metric world."""
