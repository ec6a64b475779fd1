"""Where the accepted numbers of a spec lie."""

from __future__ import annotations


def baseline_of(name: str) -> str:
    """Return the file with a spec's accepted numbers, from the workspace: it belongs in git.

    Example:
        >>> baseline_of("adult")
        'metrics/adult.json'
    """
    return f"metrics/{name}.json"
