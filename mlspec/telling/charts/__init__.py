"""Small pictures as SVG text."""
