"""The one way to a DuckDB: bounded memory, no network, no extensions."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ibis

from mlspec.engine.ask import here
from mlspec.engine.spill import spill
from mlspec.engine.sql import file_list, literal
from mlspec.sdk.budget import MOST, SHARE, Budget
from mlspec.sdk.context import Context

KEPT = "8MiB"
"""Memory that DuckDB has let go of and may keep for its next need, a thread."""

THREAD = 125_000_000
"""Bytes that the database has for a thread, at least."""


def database(context: Context) -> Any:
    """Return a fresh in-memory DuckDB as an Ibis backend.

    It spills to `context.scratch` when its part of `data.memory` is used (where nothing is said, a quarter of
    the machine's memory), installs and loads no extensions, and keeps the order of rows. Sums of floats
    depend on the number of threads: call `settle` before the first one.
    """
    if context.memory is None:
        memory = min(int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * SHARE), MOST)
    else:
        memory = Budget(context.memory).database
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    connection = ibis.duckdb.connect(
        ":memory:",
        temp_directory=str(spill(context.scratch, "duckdb")),
        memory_limit=f"{memory // 2**20}MiB",
        threads=max(min(8, cores, memory // THREAD), 1),
        autoinstall_known_extensions=False,
        autoload_known_extensions=False,
        preserve_insertion_order=True,
    )
    # Else what DuckDB has let go of stays with the process, as much again as it may hold.
    for option in (
        f"allocator_flush_threshold = '{KEPT}'",
        f"allocator_bulk_deallocation_flush_threshold = '{KEPT}'",
        "allocator_background_threads = true",
        # Else hours of times, and the bytes of files, are those of the clock on this machine's wall.
        "TimeZone = 'UTC'",
    ):
        connection.con.execute(f"SET {option}")
    return connection


def settle(connection: Any, files: Sequence[Path] = ()) -> None:
    """Let a database answer the same bytes each time, and reach no file any more.

    Args:
        connection: The Ibis backend.
        files: Those that it may still read.
    """
    threads = connection.con.execute("SELECT current_setting('threads')").fetchone()[0]
    connection.con.execute(f"SET VARIABLE mlspec_threads = {threads}")
    connection.con.execute("SET threads = 1")
    if files:
        # Signs of a glob are escaped where files are read, and both ways of writing them are looked at.
        plain = ", ".join(literal(str(file)) for file in files)
        connection.con.execute(f"SET allowed_paths = list_concat([{plain}], {file_list(files)})")
    connection.con.execute("SET enable_external_access = false")


@contextmanager
def all_threads(table: ibis.Table) -> Iterator[None]:
    """Let a settled database use its threads again, for questions whose answers no order of rows changes.

    Args:
        table: Rows of the database; of those that lie elsewhere nothing is changed.
    """
    connection: Any = table.get_backend().con
    threads = (
        connection.execute("SELECT getvariable('mlspec_threads')").fetchone()[0] if here(table) else None
    )
    if threads is None:
        yield
        return
    before = connection.execute("SELECT current_setting('threads')").fetchone()[0]
    connection.execute(f"SET threads = {threads}")
    try:
        yield
    finally:
        connection.execute(f"SET threads = {before}")
