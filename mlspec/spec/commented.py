"""A printed spec with a comment above each key."""

from __future__ import annotations

import textwrap

from mlspec.compose.composed import Composed
from mlspec.compose.document import KeyPath
from mlspec.compose.reader import read
from mlspec.errors import UsageError
from mlspec.spec.dotted import dotted
from mlspec.spec.explain import explain
from mlspec.spec.spec import Spec

WIDTH = 100


def commented(text: str, spec: Spec, composed: Composed) -> str:
    """Return YAML with what each key means, and where its value was said, in the lines above it.

    Args:
        text: The spec as mlspec prints it: a key a line.
        spec: The whole spec.
        composed: Where each value was said.
    """
    document, _ = read("shown", text)
    above: dict[int, list[str]] = {}
    for path, mark in document.marks.items():
        if not path or isinstance(path[-1], int):
            continue
        line, column = mark.key
        note = _note(path, spec, composed)
        if note:
            indent = " " * (column - 1)
            above.setdefault(line, [f"{indent}# {part}" for part in textwrap.wrap(note, WIDTH - len(indent))])
    lines = []
    for number, shown in enumerate(text.splitlines(), 1):
        lines += [*above.get(number, ()), shown]
    return "\n".join(lines) + "\n"


def _note(path: KeyPath, spec: Spec, composed: Composed) -> str:
    try:
        found = explain(dotted(path), spec, composed)
    except UsageError:
        return ""
    said = [origin for origin in found.origins if origin.value is not None or origin.removed]
    place = f"{said[-1].place}" if said and not said[-1].removed else "the default"
    return f"{found.description} [{place}]" if found.description else f"[{place}]"
