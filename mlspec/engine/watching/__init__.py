"""What a deployment saw, held against the training data."""
