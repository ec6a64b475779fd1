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
        StepError: a column without a name, two of one name (case does not count), or a reserved name.
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
        if name.lower().startswith(RESERVED) or "\0" in name:
            raise StepError(
                f"{place}: column '{name!s}' has a reserved name", where="data.source", fix="rename it"
            )
        seen[name.lower()] = name
    return names
