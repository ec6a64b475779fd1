"""What a step leaves behind does not stay with the process."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from mlspec.run.giving_back import LITTLE, giving_back

PIECE = 64 * 1024
"""Bytes of a piece: too few for glibc to map it by itself."""


def anonymous() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be asked to give back")
def test_less_than_is_looked_for_is_given_back_too() -> None:
    held: list[bytes] = []
    with giving_back():
        pass  # what other tests left would be taken first
    before = anonymous()
    with giving_back():
        pieces = [b"x" * PIECE for _ in range(LITTLE // PIECE * 3 // 4)]
        # Lives on behind all of them, so that the heap cannot end before it.
        held.append(b"y" * PIECE)
        assert anonymous() - before > LITTLE / 2
        del pieces
        left = anonymous() - before
    assert left > LITTLE / 2, "glibc gave back by itself: this shows nothing"
    assert anonymous() - before < LITTLE / 8
