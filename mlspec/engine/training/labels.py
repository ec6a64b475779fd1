"""What the codes of encoded columns stand for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def labels(graph: Path) -> Mapping[str, Mapping[int, str]]:
    """Return the value of each code of each text column, as the feature graph looks them up.

    Args:
        graph: `features.onnx`.
    """
    import onnx

    found: dict[str, dict[int, str]] = {}
    for node in onnx.load(graph).graph.node:
        if node.op_type != "LabelEncoder":
            continue
        given = {one.name: one for one in node.attribute}
        if "keys_strings" not in given or "values_int64s" not in given:
            continue
        column = found.setdefault(node.input[0], {})
        # Other spellings of a value stand behind it.
        for word, code in zip(given["keys_strings"].strings, given["values_int64s"].ints, strict=True):
            column.setdefault(code, word.decode("utf-8", "replace"))
    return found
