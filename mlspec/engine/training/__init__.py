"""Models that learn: Lightning's loop over chunks, checkpoints, trees as ONNX."""
