"""The body inflated to the outline of its owner: the solid that a clothed surface starts from."""
