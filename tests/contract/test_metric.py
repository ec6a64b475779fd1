"""What every metric must do."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlspec.sdk.plugin import Plugin
from mlspec.testing.check import Check
from mlspec.testing.metric import CHECKS
from tests.cases import cases


@pytest.mark.parametrize(("check", "example"), cases(CHECKS, "metric"))
def test_it_does_what_a_metric_must(check: Check, example: Plugin, tmp_path: Path) -> None:
    check.run(example, tmp_path)
