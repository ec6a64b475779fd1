"""How good answers are: measures, slices, curves."""
