"""What others named, as a terminal may show it."""

from __future__ import annotations

import re

_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters but line feed and tab, marks that turn the direction of writing, halves of pairs."""


def harmless(text: str) -> str:
    r"""Return a text in which whatever would steer a terminal is written out.

    Columns, paths and values of data are texts of others: an escape sequence among them could clear the
    screen, change its title, or draw over what mlspec said.

    Example:
        >>> harmless("a\x1b[2J")
        'a\\x1b[2J'
    """
    return _STEERING.sub(lambda sign: ascii(sign[0])[1:-1], text)
