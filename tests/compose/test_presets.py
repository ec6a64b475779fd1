"""What this house relies on in Hydra's inner rooms: a Hydra that changes one of these fails here first."""

from __future__ import annotations

import inspect
import warnings
from pathlib import Path

import hydra
from hydra._internal.config_repository import ConfigRepository
from hydra._internal.defaults_list import Overrides, _create_defaults_list, create_defaults_list
from hydra.core.default_element import ConfigDefault, GroupDefault
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import OverrideType
from hydra.plugins.config_source import ConfigResult, ConfigSource

from mlspec.compose.compose import compose


def test_hydra_is_the_version_that_was_read() -> None:
    assert hydra.__version__.startswith("1.3.")


def test_signatures_are_those_that_are_called() -> None:
    assert list(inspect.signature(Overrides).parameters) == ["repo", "overrides_list"]
    names = ["repo", "config_name", "overrides", "prepend_hydra", "skip_missing"]
    assert list(inspect.signature(_create_defaults_list).parameters) == names
    assert list(inspect.signature(create_defaults_list).parameters)[2] == "overrides_list"
    assert list(inspect.signature(ConfigResult).parameters)[:5] == [
        "provider",
        "path",
        "config",
        "header",
        "defaults_list",
    ]
    assert list(inspect.signature(ConfigSource._get_header_dict).parameters) == ["config_text"]
    assert "_create_defaults_list" in vars(ConfigRepository)
    for name in ("is_self", "get_name", "get_config_path", "get_final_package", "get_group_path"):
        assert hasattr(ConfigDefault, name) and hasattr(GroupDefault, name)
    assert hasattr(GroupDefault, "get_override_key")


def test_the_parser_gives_what_is_read_of_an_override() -> None:
    override = OverridesParser.create().parse_overrides(["+a/b@c=[x,y]"])[0]
    assert (override.key_or_group, override.package, override.type) == ("a/b", "c", OverrideType.ADD)
    assert (override.value(), override.input_line) == (["x", "y"], "+a/b@c=[x,y]")
    assert OverridesParser.create().parse_overrides(["x=1,2"])[0].is_sweep_override()
    assert OverridesParser.create().parse_overrides(["~x"])[0].is_delete()


def test_nothing_is_warned_and_nothing_global_is_left(tmp_path: Path) -> None:
    from hydra.core.global_hydra import GlobalHydra

    (tmp_path / "spec.yaml").write_text("defaults:\n  - hardware: cpu\nname: x\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        composed = compose(tmp_path / "spec.yaml", ["training=quick"])
    assert list(composed.presets) == ["hardware/cpu", "training/quick"]
    assert not GlobalHydra.instance().is_initialized()


def test_only_one_module_imports_hydras_inner_rooms(root: Path) -> None:
    found = [
        file.name for file in (root / "mlspec").rglob("*.py") if "from hydra._internal" in file.read_text()
    ]
    assert found == ["presets.py"]
    outside = [
        file
        for file in (root / "mlspec").rglob("*.py")
        if "compose" not in file.parts
        and ("import hydra" in file.read_text() or "from hydra" in file.read_text())
    ]
    assert outside == []
