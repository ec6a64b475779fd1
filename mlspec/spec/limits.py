"""What a key takes, in words, from its schema."""

from __future__ import annotations

from typing import Any

from mlspec import registry
from mlspec.spec.levels import Level

_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "object": "a mapping",
}
_BOUNDS = {
    "exclusiveMinimum": "more than",
    "minimum": "at least",
    "exclusiveMaximum": "less than",
    "maximum": "at most",
}


def limits(options: list[dict[str, Any]], levels: tuple[Level, ...]) -> str:
    """Return what a key takes, such as `a whole number, at least 1`.

    Args:
        options: Of the key's schema.
        levels: What may stand at the key.
    """
    slots = [level.slot for level in levels if level.slot]
    words = [f"a {slot}: {', '.join(registry.kinds(slot))}" for slot in slots]
    for option in options:
        word = _option(option)
        if word:
            words.append(word)
    return " or ".join(dict.fromkeys(words))


def _option(option: dict[str, Any]) -> str:
    if "enum" in option or "const" in option:
        return " or ".join(f"'{word}'" for word in option.get("enum", [option.get("const")]))
    kind = option.get("type")
    if kind == "array":
        return "a list"
    if kind not in _TYPES:
        return ""
    parts = [_TYPES[kind]]
    parts += [f"{word} {option[name]}" for name, word in _BOUNDS.items() if name in option]
    return ", ".join(parts)
