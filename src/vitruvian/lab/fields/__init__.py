"""Learnt corrections of the clothed volume and their training.

None ships: none has won on ``vitruvian evaluate shapes`` yet.
"""
