"""Whether the files of one source fit together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlspec.errors import StepError

SHOWN = 5
"""Columns that a message names."""


def same_columns(
    first: tuple[str, Sequence[str]],
    other: tuple[str, Sequence[str]],
    types: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Refuse a file whose columns are not those of the first one.

    Args:
        first: The first file's name and columns.
        other: Another file's.
        types: Of the columns of both, where files have types.

    Raises:
        StepError: it names the file and the column.
    """
    (here, columns), (file, names) = first, other
    lacking = [name for name in columns if name not in names]
    more = [name for name in names if name not in columns]
    if lacking or more:
        told = [f"lacks {_named(lacking)}"] if lacking else []
        told += [f"has {_named(more)} besides"] if more else []
        raise _refused(f"'{file}' has other columns than '{here}': it {' and '.join(told)}")
    if tuple(columns) != tuple(names):
        raise _refused(f"'{file}' has the columns of '{here}' in another order")
    if types:
        mine, theirs = types
        for name in columns:
            if mine[name] != theirs[name]:
                what = f"column '{name}' holds {theirs[name]} in '{file}' and {mine[name]} in '{here}'"
                raise StepError(
                    what, where="data.source.path", fix="write the files again with the same type in each"
                )


def _refused(what: str) -> StepError:
    return StepError(
        what, where="data.source.path", fix="leave that file out, or write it with the same columns"
    )


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(f"'{name}'" for name in names[:SHOWN]) + more
