"""What the language has a word for and this version does not do yet. An entry goes when its word is built."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from mlspec.compose.document import KeyPath

KEYS: tuple[str, ...] = (
    "validation.drift",
    "exports.*.quantize",
)
"""Keys, with `*` for a name or a place in a list."""

KINDS: Mapping[str, tuple[str, ...]] = {
    "source": ("iceberg", "delta", "kafka", "huggingface"),
    "feature": ("text", "image", "vector"),
    "export": ("torchscript", "safetensors"),
    "deployment": ("batch", "stream"),
}
"""Kinds of each slot."""


def later_key(path: KeyPath) -> bool:
    """Return whether a key is known and not built yet."""
    name = ".".join(map(str, path))
    return any(fnmatchcase(name, pattern) for pattern in KEYS)


def later_kind(slot: str, kind: str) -> bool:
    """Return whether a kind is known and not built yet."""
    return kind in KINDS.get(slot, ())
