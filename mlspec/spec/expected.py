"""What a key takes, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_PLAIN = {
    "int_type": "a whole number", "int_parsing": "a whole number", "int_from_float": "a whole number",
    "float_type": "a number", "float_parsing": "a number", "finite_number": "a finite number",
    "bool_type": "true or false", "bool_parsing": "true or false",
    "string_type": "text", "tuple_type": "a list", "list_type": "a list", "is_instance_of": "another type",
    "mapping_type": "a mapping", "dict_type": "a mapping", "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "none_required": "nothing",
}  # fmt: skip
_BOUNDS: Mapping[str, tuple[str, str]] = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
    "multiple_of": ("a multiple of", "multiple_of"),
}
_SIZES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "string_too_short": lambda told: (
        "text that is not empty" if told["min_length"] == 1 else f"at least {told['min_length']} characters"
    ),
    "string_too_long": lambda told: f"at most {told['max_length']} characters",
    "too_short": lambda told: (
        f"at least {told['min_length']} items" if told["min_length"] != 1 else "at least one item"
    ),
    "too_long": lambda told: f"at most {told['max_length']} items",
}
NAME_PATTERN = "^[a-z][a-z0-9_]*$"


def expected(error: Mapping[str, Any]) -> str:
    """Return what would have been right, from one of pydantic's errors."""
    sort, told = error["type"], error.get("ctx", {})
    if sort in _PLAIN:
        return _PLAIN[sort]
    if sort in _BOUNDS:
        word, name = _BOUNDS[sort]
        return f"{word} {_number(told[name])}"
    if sort in _SIZES:
        return _SIZES[sort](told)
    if sort == "literal_error":
        return str(told["expected"])
    if sort == "string_pattern_mismatch":
        if told.get("pattern") == NAME_PATTERN:
            return "small letters, digits and '_', a letter first"
        return f"text like {told.get('pattern')}"
    if sort == "slot_type":
        return f"a {told['slot']}: its kind, or a mapping with 'kind'"
    message = str(error["msg"])
    for prefix in ("Value error, ", "Assertion failed, ", "Input should be "):
        message = message.removeprefix(prefix)
    return message.removeprefix("expected ")


def says_expected(error: Mapping[str, Any]) -> bool:
    """Return whether a check's own message reads after the word "expected"."""
    return str(error["msg"]).removeprefix("Value error, ").startswith("expected ")


def _number(value: Any) -> str:
    """Return a limit as a person writes it: 1, not 1.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
