"""JSON and YAML in which no sign steers a terminal instead of being shown by it."""

from __future__ import annotations

import re

STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters but line feed and tab, marks that turn the direction of writing, halves of pairs."""


def escaped(text: str) -> str:
    r"""Return JSON, or YAML whose every such sign stands in double quotes, with the signs written out.

    Example:
        >>> print(escaped('"a\u202eb"'))
        "a\u202eb"
    """
    return STEERING.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)
