"""Which presets a spec stands on, in which order: Hydra's defaults list over our own files.

The only module that imports `hydra._internal`; `tests/compose/test_presets.py` pins what it relies on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hydra import version
from hydra._internal.config_repository import ConfigRepository
from hydra._internal.defaults_list import Overrides, _create_defaults_list
from hydra.core.default_element import ConfigDefault, GroupDefault
from hydra.errors import HydraException, MissingConfigException
from hydra.plugins.config_source import ConfigResult, ConfigSource
from omegaconf import OmegaConf

from mlspec.compose.defaults import check_defaults, unknown
from mlspec.compose.document import Document
from mlspec.compose.layer import Layer
from mlspec.compose.plain_presets import preset_layer
from mlspec.compose.preset_files import PresetFiles
from mlspec.errors import Fault

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

SPEC = "the-spec"
"""The spec's name for Hydra; no preset can be called so."""
MOST = 256
"""Presets one spec may stand on; more means that they include each other."""


class PresetError(Exception):
    """The defaults list cannot be made; carries the faults."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(faults[0].what)
        self.faults = faults


@dataclass(frozen=True)
class Presets:
    """Layers of presets around the file."""

    below: tuple[Layer, ...]
    """Named by the file (and by what it names), lowest first."""
    above: tuple[Layer, ...]
    """Chosen on the command line."""


class _Repository(ConfigRepository):  # type: ignore[misc]
    """Our files, as Hydra asks for them. Only defaults and headers pass through Hydra, never values."""

    def __init__(self, spec: Document, files: PresetFiles) -> None:
        self.spec, self.files = spec, files
        self.loaded: dict[str, ConfigResult | None] = {}
        self.times: dict[str, int] = {}

    def load_config(self, config_path: str) -> ConfigResult | None:
        self.times[config_path] = self.times.get(config_path, 0) + 1
        if self.times[config_path] > MOST or len(self.times) > MOST:
            raise PresetError(_circle(self.spec, self.files, config_path))
        if config_path not in self.loaded:
            self.loaded[config_path] = self._load(config_path)
        return self.loaded[config_path]

    def _load(self, config_path: str) -> ConfigResult | None:
        document = self.spec if config_path == SPEC else self.files.document(config_path)
        if document is None:
            return None
        if config_path != SPEC:
            faults = check_defaults(document, self.files, preset=True)
            if faults:
                raise PresetError(*faults)
        try:
            header = ConfigSource._get_header_dict("" if config_path == SPEC else document.text[:512])
        except ValueError as error:
            raise PresetError(
                document.fault("MS0112", f"the header is wrong: {error}", 1, 1, "# @package _global_")
            ) from error
        items = list(document.tree.get("defaults") or ())
        if "_self_" not in items:
            overriding = [isinstance(item, dict) and "override " in next(iter(item)) for item in items]
            items.insert(overriding.index(True) if True in overriding else len(items), "_self_")
        defaults = self._create_defaults_list(config_path, OmegaConf.create(items))
        return ConfigResult("mlspec", config_path, OmegaConf.create({}), header, defaults)

    def group_exists(self, config_path: str) -> bool:
        return self.files.is_group(config_path)

    def config_exists(self, config_path: str) -> bool:
        return config_path == SPEC or self.files.document(config_path) is not None

    def get_group_options(self, group_name: str, results_filter: Any = None) -> list[str]:
        return list(self.files.options(group_name))

    def get_sources(self) -> list[Any]:
        return []


def presets(spec: Document, files: PresetFiles, choices: Sequence[Override]) -> Presets:
    """Return the layers of presets below and above a spec.

    Args:
        spec: The spec's document, its `defaults:` already checked.
        files: Where presets lie.
        choices: Overrides that choose a preset (`hardware=ddp`) or drop one (`~hardware`).

    Raises:
        PresetError: a preset is missing, includes itself, or the list contradicts itself.
    """
    version.setbase("1.3")
    repository = _Repository(spec, files)
    try:
        overrides = Overrides(repo=repository, overrides_list=list(choices))
        tree = _create_defaults_list(repository, SPEC, overrides, prepend_hydra=False, skip_missing=False)[1]
        unused = [
            key
            for key, told in overrides.override_metadata.items()
            if not told.used and told.external_override
        ]
        if unused:
            from hydra.core.override_parser.types import OverrideType

            for choice in choices:
                if choice.get_key_element() in unused:
                    choice.type = OverrideType.ADD
            return presets(spec, files, choices)
        overrides.ensure_overrides_used()
        _refuse_unused(overrides, choices)
    except MissingConfigException as error:
        raise PresetError(_missing(spec, files, choices, str(error.missing_cfg_file))) from error
    except HydraException as error:
        first = str(error).strip().splitlines()[0]
        raise PresetError(
            _at_defaults(spec, "MS0112", f"the presets cannot be put in order: {first}")
        ) from error
    except RecursionError as error:
        raise PresetError(_circle(spec, files, "")) from error
    chosen = {
        choice.key_or_group + (f"@{choice.package}" if choice.package else "")
        for choice in choices
        if not choice.is_delete()
    }
    below: list[Layer] = []
    above: list[Layer] = []
    for name, package, on_command_line in _walk(tree, chosen, False):
        layer = _layer(name, package, spec, files)
        if layer is not None:
            (above if on_command_line else below).append(layer)
    return Presets(tuple(below), tuple(above))


def _refuse_unused(overrides: Overrides, choices: Sequence[Override]) -> None:
    for key, deletion in overrides.deletions.items():
        if not deletion.used:
            text = next(str(choice.input_line) for choice in choices if choice.get_key_element() == f"~{key}")
            what, fix = f"the spec stands on no preset of '{key}'", "leave it out"
            raise PresetError(Document(text, text).fault("MS0119", what, 1, 1, fix))


def _walk(tree: Any, chosen: set[str], above: bool) -> list[tuple[str, str, bool]]:
    """Return (preset, package, chosen on the command line) in the order of the layers."""
    found: list[tuple[str, str, bool]] = []
    for child in tree.children or [tree]:
        if child is tree:
            node, inner = tree.node, above
        else:
            node = child if isinstance(child, ConfigDefault | GroupDefault) else child.node
            inner = above or _is_chosen(node, chosen)
            if not isinstance(child, ConfigDefault | GroupDefault):
                found += _walk(child, chosen, inner)
                continue
        owner = tree.node if node.is_self() else node
        if owner.get_name() is None or getattr(owner, "deleted", False):
            continue
        name = owner.get_config_path()
        found.append((name, owner.get_final_package(), inner))
    return found


def _is_chosen(node: Any, chosen: set[str]) -> bool:
    if isinstance(node, GroupDefault):
        return node.get_override_key() in chosen
    return not node.is_self() and node.get_group_path() in chosen


def _layer(name: str, package: str, spec: Document, files: PresetFiles) -> Layer | None:
    if name == SPEC:
        return None
    document = files.document(name)
    if document is None:
        return None
    return preset_layer(name, tuple(package.split(".")) if package else (), document)


def _at_defaults(document: Document, code: str, what: str, fix: str | None = None) -> Fault:
    mark = document.marks.get(("defaults",))
    return document.fault(code, what, *(mark.key if mark else (1, 1)), fix)


def _circle(spec: Document, files: PresetFiles, name: str) -> Fault:
    document = (files.document(name) if name and name != SPEC else None) or spec
    return _at_defaults(
        document,
        "MS0114",
        f"the preset '{name or 'here'}' includes itself",
        "take it out of one of the defaults:",
    )


def _missing(spec: Document, files: PresetFiles, choices: Sequence[Override], name: str) -> Fault:
    group, _, choice = name.rpartition("/")
    what, fix = unknown(group, choice, files)
    for override in choices:
        value = override.value()
        if override.key_or_group == group and choice in (value if isinstance(value, list) else [value]):
            text = str(override.input_line)
            column = text.find("=") + 2
            return Document(text, text).fault("MS0113", what, 1, column, fix)
    for document in files._read.values():
        if document is not None and choice in str(document.tree.get("defaults")):
            return _at_defaults(document, "MS0113", what, fix)
    return _at_defaults(spec, "MS0113", what, fix)
