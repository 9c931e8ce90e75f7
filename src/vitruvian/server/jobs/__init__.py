"""Taking pictures in, queueing them, and the workers that reconstruct them."""
