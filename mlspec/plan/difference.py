"""What two sets of parameters disagree about, for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_GONE = object()


def difference(old: Any, new: Any, path: str = "") -> tuple[str, ...]:
    """Return one line for each leaf that differs, in the order of the keys.

    Example:
        >>> difference({"optimizer": {"lr": 0.001}}, {"optimizer": {"lr": 0.003, "momentum": 0.9}})
        ('optimizer.lr: 0.001 -> 0.003', 'optimizer.momentum: nothing -> 0.9')
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = sorted({*old, *new}, key=str)
        return tuple(
            line
            for key in keys
            for line in difference(
                old.get(key, _GONE), new.get(key, _GONE), f"{path}.{key}" if path else str(key)
            )
        )
    if type(old) is type(new) and old == new:
        return ()
    # 1 and 1.0 are written differently and mean the same: DVC compares them as equal, and so does this.
    if not isinstance(old, bool) and not isinstance(new, bool) and old == new:
        return ()
    return (f"{path}: {_text(old)} -> {_text(new)}",)


def _text(value: Any) -> str:
    if value is _GONE or value is None:
        return "nothing"
    if isinstance(value, str) and value.isprintable() and value == value.strip() and value:
        return value
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
