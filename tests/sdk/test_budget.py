"""How memory is shared out."""

from __future__ import annotations

import pytest

from mlspec.sdk.budget import LIBRARIES, SMALLEST, Budget, smallest


@pytest.mark.parametrize("memory", [SMALLEST, 2 * 10**9, 10**10, 10**12])
def test_the_parts_are_never_more_than_the_whole(memory: int) -> None:
    budget = Budget(memory)
    for columns in (1, 20, 1000):
        assert budget.database + 100 * columns * budget.batch(columns) + LIBRARIES <= memory


def test_more_memory_is_never_fewer_rows() -> None:
    small, large = Budget(SMALLEST), Budget(10 * SMALLEST)
    assert small.database < large.database
    assert small.batch(1000) < large.batch(1000) <= large.batch(20)
    assert small.threads(64) < large.threads(64) <= 64


def test_each_process_that_trains_needs_its_own() -> None:
    assert smallest() == SMALLEST
    assert smallest(4) - smallest(2) == 2 * (smallest(3) - smallest(2))
