"""A reference that says how each column is compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlspec.compose.near import near
from mlspec.errors import UsageError


def with_methods(reference: Mapping[str, Any], methods: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a reference whose input columns carry the `method` that was chosen for them, in segments, too.

    Args:
        reference: `inputs` and `answers`, each as `reference.json` has it, and `segments`, as
            `segments.json` has them; each may be absent.
        methods: By column: `method`, and `threshold` of a raw distance.

    Raises:
        UsageError: the model takes no such column.

    Example:
        >>> known = {"inputs": {"rows": 9, "columns": {"age": {"kind": "number"}}}}
        >>> with_methods(known, {"age": {"method": "mann_whitney"}})["inputs"]["columns"]["age"]["method"]
        {'method': 'mann_whitney'}
    """
    if not methods:
        return dict(reference)
    found = {**reference, "inputs": _chosen(reference.get("inputs") or {"rows": 0, "columns": {}}, methods)}
    if "segments" in reference:
        found["segments"] = [
            {**entry, "inputs": _chosen(entry["inputs"], methods)} for entry in reference["segments"]
        ]
    return found


def _chosen(inputs: Mapping[str, Any], methods: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    columns = dict(inputs["columns"])
    for name, method in methods.items():
        if name not in columns:
            close = near(name, columns)
            fix = f"did you mean '{close}'?" if close else f"one of {', '.join(columns)}"
            where = "monitoring.drift.methods"
            raise UsageError(f"the model takes no column '{name}'", where=where, fix=fix)
        columns[name] = {**columns[name], "method": dict(method)}
    return {**inputs, "columns": columns}
