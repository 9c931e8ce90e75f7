"""Where uploads and results lie, how they are served and when they go."""
