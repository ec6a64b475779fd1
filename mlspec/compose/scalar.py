"""What a plain YAML word means: YAML 1.2's core, less its surprises."""

from __future__ import annotations

import re

_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_ENDLESS = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
LONGEST = 400
"""Digits from which a number is refused: no number of a spec is that long."""


def scalar(text: str) -> str | int | float | bool | None:
    """Return what an unquoted word stands for; `no`, `on`, `12:30:00`, `02134`, `0x1F`, `1_000` stay text.

    Raises:
        OverflowError: a number that is no finite number, or longer than any number is.

    Example:
        >>> scalar("1e-4"), scalar("no"), scalar("02134"), scalar("~")
        (0.0001, 'no', '02134', None)
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "0123456789+-.":
        return text
    if _ENDLESS.fullmatch(text):
        raise OverflowError(text)
    if not _FLOAT.fullmatch(text):
        return text
    if len(text) > LONGEST:
        raise OverflowError(text)
    if _INT.fullmatch(text):
        return int(text)
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise OverflowError(text)
    return number
