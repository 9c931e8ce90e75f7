"""What is made of a scene: checks against the photograph, report, pictures and files."""
