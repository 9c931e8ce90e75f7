"""Frozen data that travel between the stages: no logic, and nothing else of ours is imported."""
