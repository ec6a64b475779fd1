"""Answers of an exported file, for one batch or for a table of any length."""
