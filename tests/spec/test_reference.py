"""`docs/language.md` says what the schema says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mlspec import registry
from mlspec.cli.main import main
from mlspec.spec.levels import homes
from mlspec.spec.reference import reference
from mlspec.spec.schema import schema
from mlspec.spec.spec import Spec

PAGE = Path(__file__).resolve().parents[2] / "docs" / "language.md"


@pytest.fixture(autouse=True)
def _no_workspace(tmp_path: Path) -> None:
    registry.attach(tmp_path)


def test_the_page_is_as_new() -> None:
    stale = "docs/language.md is stale: `mlspec schema --markdown > docs/language.md`"
    assert PAGE.read_text("utf-8") == reference(schema()), stale


def test_the_command_prints_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--markdown", str(tmp_path)]) == 0
    assert capsys.readouterr().out == PAGE.read_text("utf-8")


def test_sections_stand_in_the_order_of_the_language() -> None:
    found = re.findall(r"^## (\w+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert found == [name for name in Spec.model_fields if name not in ("apiVersion", "name", "seed")]


def test_every_kind_has_its_place_and_each_link_its_target() -> None:
    text = PAGE.read_text("utf-8")
    for slot in registry.SLOTS:
        assert text.count(f"### Kinds of {slot}\n") == 1
        for kind in registry.kinds(slot):
            assert text.count(f"#### {slot}: {kind}\n") == 1, (slot, kind)
    anchors = {head.lower().replace(" ", "-") for head in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors


def test_every_key_of_the_language_has_a_row() -> None:
    text = PAGE.read_text("utf-8")
    told = set(re.findall(r"^\| \*{0,2}`([^`]+)`", text, re.MULTILINE))
    names = {word for key in told for word in key.split(".")}
    assert {home.key for home in homes()} <= names | {"kind"}


def test_rows_tell_default_bounds_and_need() -> None:
    text = PAGE.read_text("utf-8")
    assert "| `training.epochs` | whole number, at least 1, at most 100000 | `10` |" in text
    assert "| **`data.target.column`** | text |" in text
    assert "| `data.split` | a [split](#kinds-of-split) | `random` |" in text
    assert json.dumps(",") in text
