"""From a file, its presets, overlays and overrides to one tree with origins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlspec.compose.composed import Composed
from mlspec.compose.defaults import check_defaults
from mlspec.compose.document import Document
from mlspec.compose.interpolate import interpolate
from mlspec.compose.layer import Layer
from mlspec.compose.merge import IsSlot, put, without
from mlspec.compose.plain_presets import plain_presets
from mlspec.compose.preset_files import PresetFiles
from mlspec.compose.reader import LARGEST, MOST_FAULTS, read
from mlspec.compose.workspace import workspace_of
from mlspec.errors import Fault, SpecError

FATAL = frozenset({"MS0101", "MS0102", "MS0103", "MS0107", "MS0108", "MS0120"})
"""Faults behind which the rest of a text is unknown."""


def _never(path: Any) -> bool:
    return False


def compose(
    path: Path, overrides: Sequence[str] = (), overlays: Sequence[Path] = (), *, is_slot: IsSlot = _never
) -> Composed:
    """Return what a spec says, with its presets below it and overlays and overrides above it.

    Args:
        path: The spec.
        overrides: `key=value`, `group=preset`, `~key`, in Hydra's grammar.
        overlays: Files laid over the spec, lowest first.
        is_slot: Tells whether a plug-in fills the key at a path, so that its kind's bare name may be
        merged into.

    Raises:
        SpecError: with every fault of text, presets, overrides and references.
    """
    composed, faults = gather(path, overrides, overlays, is_slot=is_slot)
    if faults:
        raise SpecError(faults)
    return composed


def gather(
    path: Path, overrides: Sequence[str] = (), overlays: Sequence[Path] = (), *, is_slot: IsSlot = _never
) -> tuple[Composed, tuple[Fault, ...]]:
    """Return what a spec says, and what is wrong with its texts (see `compose`).

    Raises:
        SpecError: a text cannot be read to its end.
    """
    faults: list[Fault] = []
    spec = _open(path, faults)
    above = [_open(overlay, faults) for overlay in overlays]
    if any(fault.code in FATAL for fault in faults):
        raise SpecError(tuple(faults))
    for document in (spec, *above):
        faults.extend(_reserved(document, overlay=document is not spec))
    files = PresetFiles(workspace_of(path))
    wrong = check_defaults(spec, files, preset=False)
    faults.extend(wrong)
    layers = _layers(spec, above, files, overrides, faults, sound=not wrong)
    faults.extend(files.faults)
    if any(fault.code in FATAL for fault in files.faults):
        raise SpecError(tuple(faults))
    return _merge(layers, is_slot, faults), tuple(faults)


def _open(path: Path, faults: list[Fault]) -> Document:
    name, empty = str(path), Document(str(path), "", file=path)
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST * 4 + 4)
    except OSError as error:
        faults.append(
            Fault("MS0101", f"cannot read '{name}': {error.strerror or error}", name, "check the path")
        )
        return empty
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace").splitlines() or [""]
        what = f"the byte 0x{content[error.start]:02x} is not UTF-8"
        shown = Document(name, "\n".join(before), file=path)
        faults.append(shown.fault("MS0102", what, len(before), len(before[-1]) + 1, "save the file as UTF-8"))
        return empty
    document, wrong = read(name, text, path)
    faults.extend(wrong)
    return document


def _reserved(document: Document, *, overlay: bool) -> list[Fault]:
    faults = []
    if "hydra" in document.tree:
        what = "the section 'hydra' is not part of the language"
        faults.append(document.fault("MS0115", what, *document.marks[("hydra",)].key, "remove it"))
    if overlay and "defaults" in document.tree:
        what = "an overlay holds no 'defaults'"
        fix = "choose presets in the spec, or on the command line with `group=preset`"
        faults.append(document.fault("MS0115", what, *document.marks[("defaults",)].key, fix))
    return faults


def _layers(
    spec: Document,
    above: list[Document],
    files: PresetFiles,
    overrides: Sequence[str],
    faults: list[Fault],
    *,
    sound: bool,
) -> list[Layer]:
    """Return all layers, lowest first. Hydra is imported only where it has something to decide."""
    own = [Layer(spec), *(Layer(document) for document in above)]
    chosen = None
    if overrides:
        from mlspec.compose.settings import settings

        chosen = settings(overrides, files)
        faults.extend(chosen.faults)
    choices = chosen.choices if chosen else ()
    plain = plain_presets(spec, files) if sound and not choices else None
    if plain is not None:
        own = [*plain, *own]
    elif sound:
        from mlspec.compose.presets import PresetError, presets

        try:
            found = presets(spec, files, choices)
            own = [*found.below, *own, *found.above]
        except PresetError as error:
            faults.extend(error.faults)
    return [*own, *(chosen.layers if chosen else ())]


def _merge(layers: list[Layer], is_slot: IsSlot, faults: list[Fault]) -> Composed:
    tree: Any = {}
    for layer in layers:
        document = layer.document
        try:
            if layer.removes is not None:
                tree = without(tree, layer.removes)
            elif layer.put is not None:
                tree = _put(tree, layer, is_slot, faults)
            else:
                own = {key: value for key, value in document.tree.items() if key not in ("defaults", "hydra")}
                if layer.preset is not None:
                    own.pop("x-revision", None)
                tree = put(tree, layer.package, own, is_slot)
        except LookupError as error:
            what = "there is nothing to take away" if layer.removes is not None else str(error.args[0])
            faults.append(document.fault("MS0119", what, 1, 1, "check the key with `mlspec show --resolved`"))
    if not any("${" in layer.document.text for layer in layers):
        return Composed(tree, tuple(layers))
    done = interpolate(tree)
    composed = Composed(done.tree, tuple(layers), done.environment)
    told = done.troubles[:MOST_FAULTS]
    faults.extend(composed.fault(item.code, item.what, item.path, fix=item.fix) for item in told)
    if len(told) < len(done.troubles):
        what = f"there are {len(done.troubles)} wrong references; {MOST_FAULTS} of them are told"
        faults.append(composed.fault("MS0120", what, (), fix="mend these first"))
    return composed


def _put(tree: Any, layer: Layer, is_slot: IsSlot, faults: list[Fault]) -> Any:
    from mlspec.compose.composed import at

    path = layer.put or ()
    value = at(layer.document.tree, path)
    if value is None and isinstance(at(tree, path), dict):
        what, fix = (
            f"null says nothing over '{'.'.join(map(str, path))}'",
            f"to take it away write ~{'.'.join(map(str, path))}",
        )
        faults.append(layer.document.fault("MS0119", what, 1, layer.document.text.find("=") + 2, fix))
        return tree
    return put(tree, path, value, is_slot)
