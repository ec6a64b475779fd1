"""From a source's rows to typed rows, and the rows that could not be read."""
