"""All that a plug-in may import at the top of its file."""
