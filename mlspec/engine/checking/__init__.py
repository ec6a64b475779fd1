"""What the data looks like, and whether that is what was agreed."""
