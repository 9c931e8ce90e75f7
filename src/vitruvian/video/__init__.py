"""From a clip to people in motion: reading, tracking, one solve over time, an avatar each."""
