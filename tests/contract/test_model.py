"""What every model must do, whatever family it is of."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlspec.sdk.plugin import Plugin
from mlspec.testing.check import Check
from mlspec.testing.model import CHECKS
from tests.cases import cases


@pytest.mark.parametrize(("check", "example"), cases(CHECKS, "model"))
def test_it_does_what_a_model_must(check: Check, example: Plugin, tmp_path: Path) -> None:
    check.run(example, tmp_path)
