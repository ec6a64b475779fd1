"""Every plug-in meets these by existing: what a user, the plan and the schema rely on."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlspec import registry
from mlspec.sdk.plugin import Plugin
from mlspec.testing.check import Check
from mlspec.testing.general import CHECKS
from tests.cases import cases

KINDS = [(slot, kind) for slot in registry.SLOTS for kind in registry.kinds(slot)]


@pytest.mark.parametrize("slot", registry.SLOTS)
def test_each_slot_has_a_kind(slot: str) -> None:
    assert registry.kinds(slot)


@pytest.mark.parametrize(("slot", "kind"), KINDS)
def test_the_class_fills_its_slot_and_shows_examples_of_itself(slot: str, kind: str) -> None:
    found = registry.find(slot, kind)
    assert issubclass(found, Plugin)
    assert found.slot == slot
    assert found.examples() and all(type(example) is found for example in found.examples())


@pytest.mark.parametrize(("check", "example"), cases(CHECKS, *registry.SLOTS))
def test_it_does_what_a_plugin_must(check: Check, example: Plugin, tmp_path: Path) -> None:
    check.run(example, tmp_path)
