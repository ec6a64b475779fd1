"""What a field takes, for people."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Union

PLAIN = {int: "whole number", float: "number", str: "text", bool: "true or false", type(None): "nothing"}
LIMITS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


def in_words(annotation: Any, marks: Iterable[Any] = ()) -> str:
    """Return a type and its limits in words.

    Example:
        >>> in_words(tuple[Literal["a", "b"], ...])
        'list of a | b'
    """
    return _type(annotation) + _limits(marks)


def _type(annotation: Any) -> str:
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return in_words(parts[0], parts[1:])
    if origin is Literal:
        return " | ".join(str(value) for value in parts)
    if origin in (Union, types.UnionType):
        return " or ".join(_type(part) for part in parts)
    if origin in (tuple, list):
        return f"list of {_type(parts[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"mapping of {_type(parts[0])} to {_type(parts[1])}"
    return PLAIN.get(annotation) or getattr(annotation, "__name__", str(annotation)).lower()


def _limits(marks: Iterable[Any]) -> str:
    found = []
    for mark in marks:
        for inner in (mark, *getattr(mark, "metadata", ())):
            found += [
                f"{word} {getattr(inner, name)}"
                for name, word in LIMITS.items()
                if getattr(inner, name, None) is not None
            ]
    return f" ({', '.join(found)})" if found else ""
