"""The text under each field of a class, read from its source: classes carry no descriptions at run time."""

from __future__ import annotations

import ast
import functools
import inspect
import re
import sys

from pydantic import BaseModel

_SENTENCE = re.compile(r".*?[.](?= [A-Z`'(])")
"""Up to the first full stop before a new beginning."""


@functools.cache
def described(model: type[BaseModel]) -> dict[str, str]:
    """Return the description of each field of a class, its parents' with it."""
    found: dict[str, str] = {}
    for parent in reversed(model.__mro__):
        if isinstance(parent, type) and issubclass(parent, BaseModel) and parent is not BaseModel:
            found |= _of_file(inspect.getsourcefile(parent) or "").get(parent.__qualname__, {})
    return {name: found[name] for name in model.model_fields if name in found}


@functools.cache
def _of_file(file: str) -> dict[str, dict[str, str]]:
    try:
        with open(file, encoding="utf-8") as source:
            tree = ast.parse(source.read())
    except OSError:
        return {}
    return {node.name: _fields(node) for node in tree.body if isinstance(node, ast.ClassDef)}


def _fields(node: ast.ClassDef) -> dict[str, str]:
    found = {}
    for one, other in zip(node.body, node.body[1:], strict=False):
        if not (isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)):
            continue
        if isinstance(other, ast.Expr) and isinstance(other.value, ast.Constant):
            text = other.value.value
            if isinstance(text, str):
                found[one.target.id] = " ".join(text.split())
    return found


def summary(model: type[BaseModel]) -> str:
    """Return the first sentence of a class's docstring, be it one line or two."""
    module = sys.modules.get(model.__module__)
    text = inspect.getdoc(model) or (inspect.getdoc(module) if module else None) or ""
    paragraph = " ".join(text.strip().split("\n\n")[0].split())
    first = _SENTENCE.match(paragraph)
    return first[0] if first else paragraph
