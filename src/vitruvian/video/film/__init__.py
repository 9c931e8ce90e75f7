"""Films: frames to a small MP4 with AV1 pictures, which browsers and players show."""
