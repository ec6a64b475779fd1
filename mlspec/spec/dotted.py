"""A path in the user's own words."""

from __future__ import annotations

from mlspec.compose.document import KeyPath


def dotted(path: KeyPath) -> str:
    """Return a path as the user would write it: `data.features.mean radius`, `evaluation.gates[0].metric`.

    Example:
        >>> dotted(("evaluation", "gates", 0, "metric"))
        'evaluation.gates[0].metric'
    """
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
