"""A user's text with other values in some places: comments, order and everything else stay as they are."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import yaml

from mlspec.compose.document import Document, KeyPath
from mlspec.compose.merge import IsSlot, put, without
from mlspec.compose.reader import read
from mlspec.compose.write import flow
from mlspec.errors import MlspecError

_Loader: Any = yaml.SafeLoader


def edited(document: Document, values: Mapping[KeyPath, Any], is_slot: IsSlot) -> str:
    """Return a document's text with some values set, each whole, in the place of what stands there.

    Args:
        document: What the user wrote.
        values: Plain data by the key's path, counted from the document's root; a path through no list.
        is_slot: Whether a plug-in fills a key, so that its kind's bare name becomes a mapping.

    Raises:
        MlspecError: a value cannot be set without changing something else.

    Example:
        >>> text = "model: mlp  # small"
        >>> edited(read("s", text)[0], {("model", "dropout"): 0.25}, lambda path: True)
        'model: {kind: mlp, dropout: 0.25}  # small'
    """
    text, expected = document.text, document.tree
    for path, value in values.items():
        with contextlib.suppress(LookupError):
            expected = without(expected, path)
        expected = put(expected, path, value, is_slot)
        text = _set(text, path, value)
    found, faults = read(document.name, text)
    if faults or found.tree != expected:
        wanted = ", ".join(".".join(map(str, path)) for path in values)
        raise MlspecError(f"'{wanted}' cannot be set in '{document.name}' without a change of something else")
    return text


def _set(text: str, path: KeyPath, value: Any) -> str:
    node: Any = yaml.compose(text, _Loader)
    for depth, step in enumerate(path):
        if not isinstance(node, yaml.MappingNode):
            return _in_scalar(text, node, _nested(path[depth:], value))
        pair = next((pair for pair in node.value if pair[0].value == step), None)
        if pair is None:
            return _added(text, node, str(step), _nested(path[depth + 1 :], value))
        key, node = pair
    return _replaced(text, key, node, flow(value))


def _nested(path: KeyPath, value: Any) -> Any:
    for step in reversed(path):
        value = {step: value}
    return value


def _in_scalar(text: str, node: Any, inner: dict[str, Any]) -> str:
    """Return the text with a bare kind, or nothing, made a mapping."""
    start, end = (0, 0) if node is None else (node.start_mark.index, node.end_mark.index)
    said = text[start:end]
    whole = flow(inner)
    if said.strip():
        return f"{text[:start]}{{kind: {said}, {whole[1:]}{text[end:]}"
    blank = "" if text[:start].endswith((" ", "\n")) or not start else " "
    return f"{text[:start]}{blank}{whole}{text[end:]}"


def _added(text: str, node: Any, step: str, value: Any) -> str:
    """Return the text with one more key in a mapping, behind the last one."""
    line = f"{flow(step)}: {flow(value)}"
    if not node.value:
        start = node.start_mark.index + 1
        return f"{text[:start]}{line}{text[start:]}"
    end = _end(node.value[-1][1])
    if node.flow_style:
        return f"{text[:end]}, {line}{text[end:]}"
    rest = text.find("\n", end)
    at = len(text) if rest < 0 else rest
    indent = " " * node.value[0][0].start_mark.column
    return f"{text[:at]}\n{indent}{line}{text[at:]}"


def _replaced(text: str, key: Any, node: Any, told: str) -> str:
    start, end = node.start_mark.index, _end(node)
    if getattr(node, "flow_style", True) is not False and end > start:
        return f"{text[:start]}{told}{text[end:]}"
    # A block, or nothing: the value goes behind the key, and a comment beside the key stays there.
    colon = text.index(":", key.end_mark.index) + 1
    note = text[colon : max(start, colon)].partition("\n")[0].strip() if end > start else ""
    return f"{text[:colon]} {told}{f'  {note}' if note else ''}{text[max(end, colon) :]}"


def _end(node: Any) -> int:
    """Return where a value ends: of a block that is the end of what stands last in it."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        index: int = node.end_mark.index
        return index
    last = node.value[-1]
    return _end(last[1] if isinstance(node, yaml.MappingNode) else last)
