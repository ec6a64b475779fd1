"""Signals to stop that a library took for a fault of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def heeded() -> Iterator[None]:
    """Let a Ctrl-C or a SIGTERM end the work inside, whatever a library made of it.

    DuckDB hears a signal in the middle of a query, and raises a `RuntimeError` whose cause the signal is.

    Raises:
        KeyboardInterrupt: there was a signal behind a fault. `Terminated` where it was SIGTERM.

    Example:
        >>> try:
        ...     with heeded():
        ...         raise RuntimeError("Query interrupted") from KeyboardInterrupt()
        ... except KeyboardInterrupt:
        ...     print("asked to end")
        asked to end
    """
    try:
        yield
    except Exception as fault:
        stop = _behind(fault)
        if stop is None:
            raise
        raise stop from None


def _behind(fault: BaseException) -> KeyboardInterrupt | None:
    seen: set[int] = set()
    inner: BaseException | None = fault
    while inner is not None and id(inner) not in seen:
        if isinstance(inner, KeyboardInterrupt):
            return inner
        seen.add(id(inner))
        inner = inner.__cause__ or inner.__context__
    return None
