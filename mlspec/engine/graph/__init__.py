"""The feature graph: fitted columns become one ONNX graph, and a session answers through the door."""
