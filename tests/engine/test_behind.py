"""Work that goes on behind the reading."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from mlspec.engine.behind import AHEAD, behind


def test_pieces_are_worked_on_in_their_order_by_another_thread() -> None:
    seen: list[tuple[int, bool]] = []
    behind(range(50), lambda piece: seen.append((piece, threading.current_thread() is not main)))
    assert seen == [(piece, True) for piece in range(50)]


def test_few_pieces_are_read_ahead() -> None:
    go, read = threading.Event(), []

    def pieces() -> Iterator[int]:
        for piece in range(10):
            if len(read) > AHEAD + 1:
                assert go.is_set()
            read.append(piece)
            if len(read) == AHEAD + 1:
                threading.Timer(0.05, go.set).start()
            yield piece

    behind(pieces(), lambda piece: go.wait(10) and None)
    assert read == list(range(10))


def test_the_first_fault_ends_the_reading() -> None:
    read: list[int] = []

    def pieces() -> Iterator[int]:
        for piece in range(1_000):
            read.append(piece)
            yield piece

    def work(piece: int) -> None:
        if piece == 3:
            raise ValueError("three")

    with pytest.raises(ValueError, match="three"):
        behind(pieces(), work)
    assert len(read) <= 3 + AHEAD + 2


def test_a_fault_of_the_reading_is_told_as_it_is() -> None:
    def pieces() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        behind(pieces(), lambda piece: None)


main = threading.current_thread()
