"""Finding people: detection, landmarks, mattes, completeness."""
