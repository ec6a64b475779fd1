"""What every plug-in must do, told of shipped ones and of a user's own by the same code."""
