"""What a file's name says of the source that reads it."""

from __future__ import annotations

from pathlib import Path

from mlspec import registry
from mlspec.errors import MlspecError


def kind_of(path: str | Path) -> str | None:
    """Return the kind of source that reads files of this name; None where none does.

    Example:
        >>> kind_of("new/rows.csv.gz"), kind_of("rows.xlsx")
        ('csv', None)
    """
    name = Path(path).name.lower()
    return next((kind for end, kind in suffixes().items() if name.endswith(end)), None)


def suffixes() -> dict[str, str]:
    """Return the ends of names that say a kind of source, longer ones first."""
    found = {}
    for kind in registry.kinds("source"):
        try:
            ends = getattr(registry.find("source", kind), "suffixes", ())
        except MlspecError:
            continue  # a plug-in that is not trusted, or is broken, says nothing of names
        found.update(dict.fromkeys(ends, kind))
    return dict(sorted(found.items(), key=lambda item: (-len(item[0]), item[0])))


def bare(path: Path) -> str:
    """Return a file's name without the end that says its kind.

    Example:
        >>> bare(Path("new/rows.csv.gz")), bare(Path("rows.xlsx"))
        ('rows', 'rows')
    """
    end = next((end for end in suffixes() if path.name.lower().endswith(end)), path.suffix)
    return path.name.removesuffix(path.name[len(path.name) - len(end) :]) if end else path.name
