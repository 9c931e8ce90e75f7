"""What belongs to Blender; ``addon.py`` is Blender's, and never imported here."""
