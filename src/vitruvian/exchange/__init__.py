"""Other programs' bodies, keypoints and masks: their files read, and ours told in their terms."""
