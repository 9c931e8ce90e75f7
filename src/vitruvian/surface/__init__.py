"""From the fitted body and the photograph to the person's outer surface."""
