"""One layer of a composed spec."""

from __future__ import annotations

from dataclasses import dataclass

from mlspec.compose.document import Document, KeyPath


@dataclass(frozen=True)
class Layer:
    """A document and where in the spec it hangs."""

    document: Document
    package: KeyPath = ()
    """The key under which the document's own keys lie (a preset `hardware/cpu` lies under `hardware`)."""
    put: KeyPath | None = None
    """Of an override: the one key it sets."""
    removes: KeyPath | None = None
    """Of an override `~key`: the key that it takes away."""
    preset: str | None = None
    """Name of a preset, such as `hardware/cpu`."""
    revision: int | None = None
    """Of a preset: its `x-revision`."""
