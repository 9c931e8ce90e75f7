"""The clothed solid along the rays of the photograph, and its surface."""
