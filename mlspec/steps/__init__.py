"""One file per step: (parameters, inputs, output, context) -> None."""
