"""One leaf of a YAML file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from mlspec.errors import PlanError

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def scalar(value: Any) -> str:
    """Return a leaf as YAML that reads the same in YAML 1.1 and 1.2: everything doubtful is quoted.

    Raises:
        PlanError: the value is nothing that YAML holds.

    Example:
        >>> [scalar(value) for value in ("mean radius", "no", 1e-05, None)]
        ['mean radius', '"no"', '1.0e-05', 'null']
    """
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, list | tuple):
        return "[]"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
        return value if plain else _quoted(value)
    if value is None or isinstance(value, bool | int):
        return json.dumps(value)
    raise PlanError(
        f"a parameter is a {type(value).__name__}, which no plan can hold", fix="use text and numbers"
    )


def _number(value: float) -> str:
    text = repr(value)
    if text in ("inf", "-inf"):
        return text.replace("inf", ".inf")
    if text == "nan":
        raise PlanError("a parameter is NaN, which equals nothing, not even itself", fix="leave the key out")
    mantissa, mark, exponent = text.partition("e")
    # Without the dot, YAML 1.1 reads 1e-05 as text.
    return f"{mantissa}.0e{exponent}" if mark and "." not in mantissa else text


def _quoted(value: str) -> str:
    # JSON's escapes are YAML's, but for the surrogate pairs that `ensure_ascii` would write.
    text = json.dumps(value, ensure_ascii=False)
    return "".join(char if char.isprintable() or char == " " else f"\\U{ord(char):08x}" for char in text)
