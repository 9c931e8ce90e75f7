"""Everyone in one upright, metric world."""
