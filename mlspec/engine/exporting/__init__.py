"""One joined file, and the proof that it answers as training does."""
