"""The page that tells how to add a feature kind, followed to the letter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml

from mlspec import plugins, registry
from tests.contract import test_feature as contract
from tests.encoded import encoded

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how_to" / "add_a_feature.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


@pytest.fixture
def followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Put the page's class into a trusted workspace, and return the page's test."""
    code, test = blocks("python")
    folder = tmp_path / "plugins" / "feature"
    folder.mkdir(parents=True)
    (folder / "magnitude.py").write_text(code, "utf-8")
    monkeypatch.setenv("MLSPEC_TRUST", "1")
    registry.attach(tmp_path)
    yield test
    plugins.leave()


def test_the_page_s_kind_passes_the_page_s_test(followed: str) -> None:
    space: dict[str, Any] = {}
    exec(compile(followed, str(PAGE), "exec"), space)
    space["test_equal_to_numpy_on_hostile_rows"]()


@pytest.mark.parametrize("held", ["number", "integer"])
def test_the_page_s_kind_meets_the_contract(followed: str, held: Any) -> None:
    feature = registry.find("feature", "magnitude").examples()[0]
    checks = [check for name, check in vars(contract).items() if name.startswith("test_")]
    assert len(checks) >= 5
    for check in checks:
        check(feature, held)


def test_the_page_s_yaml_is_a_feature(followed: str) -> None:
    option = yaml.safe_load(blocks("yaml")[0])["data"]["features"]["fare"]
    found, _ = encoded(option, pa.array([1.0, 100.0]), pa.array([1.0, None, 100.0]), "number")
    np.testing.assert_allclose(found["x"], [-1, 0, 1], atol=1e-6)
