"""The laboratory: synthetic people, training and evaluation.

Nothing outside imports it but the list of commands.
"""
