"""Sizes: whole bytes, within their bounds, however they are written."""

from __future__ import annotations

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mlspec.sdk.fields import Sized, size
from mlspec.sdk.frozen import Frozen


class Kept(Frozen):
    body: Annotated[int, Sized("1KiB", "1GiB")] = 1024


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0B", 0), ("7B", 7), ("1kB", 1000), ("1KB", 1000), ("1KiB", 1024), ("2MB", 2_000_000),
        ("1.5MiB", 1_572_864), ("2GB", 2_000_000_000), ("1GiB", 1_073_741_824), ("1TiB", 2**40),
        ("1TB", 10**12), ("0.001kB", 1),
    ],
)  # fmt: skip
def test_a_size_is_its_bytes(text: str, count: int) -> None:
    assert size(text) == count


@pytest.mark.parametrize(
    "text",
    ["", "5", "GB", "2 GB", "2gb", "-1MB", "1e3B", "2Gb", "1MBit", "0.0001kB", "1.MB", "٣MB", "9" * 99 + "B"],
)
def test_what_is_no_size_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="expected a size"):
        size(text)


@given(st.integers(1, 2**20 - 1))
def test_two_ways_to_write_one_size_are_one_value(count: int) -> None:
    assert Kept.revive({"body": f"{count}KiB"}) == Kept.revive({"body": count * 1024})


@pytest.mark.parametrize("value", [1023, "1023B", 2**30 + 1, "1.1GiB", "2TB", 1024.0, True, None, ["8MB"]])
def test_a_size_beyond_its_bounds_or_of_another_type_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        Kept.revive({"body": value})
