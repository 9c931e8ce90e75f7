"""Tape measures of bodies."""
