"""Files, presets and overrides become one tree with the origin of every value."""
