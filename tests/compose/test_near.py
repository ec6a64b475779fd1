from __future__ import annotations

import functools

from hypothesis import given
from hypothesis import strategies as st

from mlspec.compose.near import distance, near


def _slow(one: str, other: str) -> int:
    @functools.cache
    def cost(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        best = min(cost(i - 1, j) + 1, cost(i, j - 1) + 1, cost(i - 1, j - 1) + (one[i - 1] != other[j - 1]))
        if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
            best = min(best, cost(i - 2, j - 2) + 1)
        return best

    return cost(len(one), len(other))


@given(st.text("abc", max_size=7), st.text("abc", max_size=7))
def test_distance_is_the_textbooks(one: str, other: str) -> None:
    assert distance(one, other) == _slow(one, other)


def test_the_nearest_word_wins_and_far_words_do_not() -> None:
    assert near("epohcs", ("epochs", "batch_size")) == "epochs"
    assert near("optimiser", ("schedule", "optimizer")) == "optimizer"
    assert near("zzz", ("epochs", "batch_size")) is None
    assert near("", ("a",)) is None
    assert near("x" * 100_000, ("epochs",)) is None
