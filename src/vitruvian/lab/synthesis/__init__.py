"""Synthetic clothed people, made from freely licensed assets."""
