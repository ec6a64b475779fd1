"""Plain data as YAML that reads back as the same data."""

from __future__ import annotations

from typing import Any

import yaml

from mlspec.compose.escaped import STEERING, escaped
from mlspec.compose.scalar import scalar

_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Quoting(_Dumper):  # type: ignore[misc]
    """Quotes text that our reader would take for something else, although YAML 1.1 would not."""


def _text(dumper: Any, value: str) -> Any:
    try:
        plain = not value or not isinstance(scalar(value), str)
    except OverflowError:
        plain = True
    style = '"' if STEERING.search(value) else "'" if plain else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Quoting.add_representer(str, _text)
_Quoting.ignore_aliases = lambda self, data: True


def write(tree: Any) -> str:
    """Return data as YAML, in its own order; signs that would steer a terminal are written as escapes.

    Example:
        >>> print(write({"lr": 1e-3, "zip": "02134", "size": "1e3"}), end="")
        lr: 0.001
        zip: '02134'
        size: '1e3'
    """
    text: str = yaml.dump(tree, Dumper=_Quoting, sort_keys=False, allow_unicode=True, width=110)
    return escaped(text)


def flow(value: Any) -> str:
    """Return data as YAML on one line.

    Example:
        >>> flow({"hidden": [8, 8], "zip": "02134"}), flow(1e-05)
        ("{hidden: [8, 8], zip: '02134'}", '1.0e-05')
    """
    text: str = yaml.dump(
        value, Dumper=_Quoting, sort_keys=False, allow_unicode=True, default_flow_style=True, width=10**9
    )
    return escaped(text.removesuffix("\n").removesuffix("\n...")).rstrip("\n")
