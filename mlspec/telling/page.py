"""The page of a run."""

from __future__ import annotations

from collections.abc import Callable

from mlspec.telling.document import document
from mlspec.telling.html import Html
from mlspec.telling.left import Left
from mlspec.telling.sections.changes import changes
from mlspec.telling.sections.data import data
from mlspec.telling.sections.gates import gates
from mlspec.telling.sections.made_with import made_with
from mlspec.telling.sections.measures import measures
from mlspec.telling.sections.parity import parity
from mlspec.telling.sections.plots import plots
from mlspec.telling.sections.slices import slices
from mlspec.telling.sections.steps import steps
from mlspec.telling.sections.training import training
from mlspec.telling.sections.validation import validation
from mlspec.telling.sections.verdict import verdict

SECTIONS: tuple[tuple[str, Callable[[Left], Html]], ...] = (
    ("Gates", gates),
    ("Metrics", measures),
    ("What changed", changes),
    ("Plots", plots),
    ("Slices", slices),
    ("Training", training),
    ("Data", data),
    ("Validation", validation),
    ("Parity", parity),
    ("Plan", steps),
    ("Made with", made_with),
)
"""In the order of reading; one with nothing to tell is left out."""


def page(left: Left) -> bytes:
    """Return a run as one page, UTF-8: the same bytes for the same files."""
    title = f"{left.record.name}: a run of {left.record.began:%Y-%m-%d %H:%M} UTC"
    return document(title, verdict(left), [(name, write(left)) for name, write in SECTIONS])
