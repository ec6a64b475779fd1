"""The usual `defaults:` without Hydra, whose import is the most of a short command's time.

The usual list leaves Hydra nothing to decide: `group: preset` items of different groups, whose presets stand
on no others and name no package. `tests/compose/test_plain_presets.py` holds the answer against Hydra's.
"""

from __future__ import annotations

import re

from mlspec.compose.document import Document
from mlspec.compose.layer import Layer
from mlspec.compose.preset_files import PresetFiles

_PLAIN = re.compile(r"[a-z0-9_]+")


def plain_presets(spec: Document, files: PresetFiles) -> tuple[Layer, ...] | None:
    """Return the layers of presets below a spec, lowest first; None where Hydra must decide.

    Args:
        spec: The spec's document, its `defaults:` already checked.
        files: Where presets lie.
    """
    layers: dict[str, Layer] = {}
    for item in spec.tree.get("defaults") or ():
        if item == "_self_":
            continue
        if not isinstance(item, dict):
            return None
        group, choice = next(iter(item.items()))
        if not isinstance(choice, str) or not _PLAIN.fullmatch(group) or not _PLAIN.fullmatch(choice):
            return None
        document = files.document(f"{group}/{choice}")
        if (
            document is None
            or group in layers
            or document.tree.get("defaults")
            or "@package" in document.text
        ):
            return None
        layers[group] = preset_layer(f"{group}/{choice}", (group,), document)
    return tuple(layers.values())


def preset_layer(name: str, package: tuple[str, ...], document: Document) -> Layer:
    """Return a preset as a layer."""
    revision = document.tree.get("x-revision")
    return Layer(document, package, preset=name, revision=revision if isinstance(revision, int) else None)
