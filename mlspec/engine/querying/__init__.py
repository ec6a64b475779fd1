"""An ONNX graph as one SQL query: traced with symbols for one row, and written in a database's words."""
