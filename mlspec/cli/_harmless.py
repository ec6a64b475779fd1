"""What others named, as a terminal may show it."""

from __future__ import annotations

from mlspec.compose.escaped import STEERING


def harmless(text: str) -> str:
    r"""Return a text in which whatever would steer a terminal is written out.

    Columns, paths and values of data are texts of others: an escape sequence among them could clear the
    screen, change its title, or draw over what mlspec said.

    Example:
        >>> harmless("a\x1b[2J")
        'a\\x1b[2J'
    """
    return STEERING.sub(lambda sign: ascii(sign[0])[1:-1], text)
