"""Every plug-in meets these by existing: what a user, the plan and the schema rely on."""

from __future__ import annotations

import ast
import itertools
import json
import sys
from pathlib import Path

import pytest

from mlspec import registry
from mlspec.sdk.fields import parameters
from mlspec.sdk.frozen import freeze
from mlspec.sdk.plugin import Plugin
from mlspec.sdk.slot import Slot

KINDS = [(slot, kind) for slot in registry.SLOTS for kind in registry.kinds(slot)]
FILES = sorted((Path(__file__).resolve().parents[2] / "plugins").glob("*/[a-z]*.py"))
MAY_IMPORT = {"mlspec.sdk", "mlspec.errors", "pydantic", "pydantic_core", "typing_extensions"}


@pytest.mark.parametrize("slot", registry.SLOTS)
def test_each_slot_has_a_kind(slot: str) -> None:
    assert registry.kinds(slot)


@pytest.mark.parametrize(("slot", "kind"), KINDS)
def test_the_class_says_what_it_is(slot: str, kind: str) -> None:
    found = registry.find(slot, kind)
    assert issubclass(found, Plugin)
    assert found.slot == slot
    assert found.__doc__ and found.__doc__ not in {base.__doc__ for base in found.__mro__[1:]}
    assert found.model_config["frozen"] and found.model_config["extra"] == "forbid"


@pytest.mark.parametrize(("slot", "kind"), KINDS)
def test_every_option_has_a_description(slot: str, kind: str) -> None:
    described: set[str] = set()
    for base in registry.find(slot, kind).__mro__:
        if not issubclass(base, Plugin):
            continue
        tree = ast.parse(Path(sys.modules[base.__module__].__file__ or "").read_text())
        body = next(
            node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == base.__name__
        )
        for field, text in itertools.pairwise(body):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(text, ast.Expr)
                and isinstance(text.value, ast.Constant)
            ):
                described.add(ast.unparse(field.target))
    assert set(registry.find(slot, kind).model_fields) - described == set()


@pytest.mark.parametrize(("slot", "kind"), KINDS)
def test_examples_survive_the_plan(slot: str, kind: str) -> None:
    found = registry.find(slot, kind)
    examples = found.examples()
    assert examples
    for example in examples:
        assert type(example) is found
        plain = json.loads(json.dumps(parameters(example), allow_nan=False))
        assert plain["kind"] == kind
        assert parameters(found.revive(plain)) == parameters(example)
        assert parameters(Slot(slot).choose(freeze(plain))) == parameters(example)


@pytest.mark.parametrize(("slot", "kind"), KINDS)
def test_an_unknown_option_is_refused(slot: str, kind: str) -> None:
    found = registry.find(slot, kind)
    with pytest.raises(ValueError, match="no_such_option"):
        found.revive({**parameters(found.examples()[0]), "no_such_option": 1})


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_the_top_of_a_plugin_file_imports_only_the_sdk(file: Path) -> None:
    for node in ast.parse(file.read_text()).body:
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name}: relative import"
            names = [node.module or ""]
        for name in names:
            allowed = name.split(".")[0] in sys.stdlib_module_names or any(
                name == good or name.startswith(good + ".") for good in MAY_IMPORT
            )
            assert allowed, f"{file.parent.name}/{file.name} imports {name} at its top"
