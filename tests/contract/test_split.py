"""What every split must do, by existing."""

from __future__ import annotations

import pytest

from mlspec import registry
from mlspec.sdk.split import Split
from tests.tables import COLUMNS, assigned, frame

EXAMPLES = [
    pytest.param(example, id=f"{kind}-{place}")
    for kind in registry.kinds("split")
    for place, example in enumerate(registry.find("split", kind).examples())
]


@pytest.mark.parametrize("split", EXAMPLES)
def test_every_row_has_one_split(split: Split) -> None:
    found = assigned(split, frame())
    assert len(found) == len(frame())
    wanted = {"train", "val", "test"} if split.has_val() else {"train", "test"}
    assert set(found) == wanted


@pytest.mark.parametrize("split", EXAMPLES)
def test_the_same_rows_and_seed_give_the_same_split_in_any_order(split: Split) -> None:
    data = frame()
    found = assigned(split, data)
    shuffled = data.sample(frac=1, random_state=1).reset_index(drop=True)
    assert assigned(split, shuffled).equals(found)


@pytest.mark.parametrize("split", EXAMPLES)
def test_the_columns_it_reads_are_named(split: Split) -> None:
    data = frame()
    needed = {"mlspec_row", COLUMNS.target, COLUMNS.event_time, *split.reads()}
    assigned(split, data[[name for name in data.columns if name in needed]])


@pytest.mark.parametrize("split", [item for item in EXAMPLES if item.id.startswith(("random", "hash"))])
def test_another_seed_gives_another_split(split: Split) -> None:
    assert not assigned(split, frame(), seed=7).equals(assigned(split, frame(), seed=8))
