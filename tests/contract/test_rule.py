"""What every rule must do, by existing."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlspec.sdk.plugin import Plugin
from mlspec.testing.check import Check
from mlspec.testing.rule import CHECKS
from tests.cases import cases


@pytest.mark.parametrize(("check", "example"), cases(CHECKS, "rule"))
def test_it_does_what_a_rule_must(check: Check, example: Plugin, tmp_path: Path) -> None:
    check.run(example, tmp_path)
