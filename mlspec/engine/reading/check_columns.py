"""Names that a table's columns may have."""

from __future__ import annotations

from mlspec.errors import StepError

RESERVED = "mlspec_"


def check_columns(names: tuple[str, ...], place: str) -> tuple[str, ...]:
    """Return the names of a table's columns, if they can be told apart.

    Args:
        names: In the order of the table.
        place: Where they come from, for messages.

    Raises:
        StepError: a column without a name, two of one name (case does not count), a reserved name, or one
            of several lines.
    """
    seen: dict[str, str] = {}
    for position, name in enumerate(names, 1):
        if not name:
            raise StepError(f"{place}: column {position} has no name", where="data.source", fix="name it")
        if name.lower() in seen:
            other = seen[name.lower()]
            what = (
                f"column '{name}' appears twice"
                if other == name
                else f"columns '{other}' and '{name}' differ only in case"
            )
            raise StepError(f"{place}: {what}", where="data.source", fix="rename one of them")
        if len(f"{name}.".splitlines()) > 1:
            # DuckDB finds no row below such a header, and no message, plan or page has room for it.
            what = f"the name of column {position}, {name!r}, has more than one line"
            raise StepError(f"{place}: {what}", where="data.source", fix="rename it")
        if name.lower().startswith(RESERVED) or "\0" in name:
            raise StepError(
                f"{place}: column '{name!s}' has a reserved name", where="data.source", fix="rename it"
            )
        seen[name.lower()] = name
    return names
