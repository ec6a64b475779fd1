"""What to tell where a reader gave up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from mlspec.engine.reading.marks import Marks
from mlspec.errors import StepError


@contextmanager
def told(marks: Marks) -> Iterator[None]:
    """Turn what a reader says into a fault that names the file and the row, where they can be found.

    Args:
        marks: The source, and its files as they were before.

    Raises:
        StepError: the reader gave up.
    """
    try:
        yield
    except (duckdb.Error, pa.ArrowException) as error:
        raise refusal(marks, error) from error


@contextmanager
def told_again(marks: Marks) -> Iterator[None]:
    """Turn what a question finds in files that it reads into a fault that names the file and the row.

    Args:
        marks: The source, and its files as they were before.

    Raises:
        StepError: a file is damaged, or changed meanwhile. What the question itself is to blame for is raised
            as it is.
    """
    try:
        yield
    except (duckdb.Error, pa.ArrowException) as error:
        try:
            marks.check()
            marks.source.look_again(marks.context)
        except StepError as found:
            raise found from error
        raise
    marks.check()


def refusal(marks: Marks, error: Exception) -> StepError:
    """Return the fault of a source that could not be read.

    Args:
        marks: The source, and its files as they were before.
        error: What the reader said; it often names no file.
    """
    source, context = marks.source, marks.context
    try:
        marks.check()
        source.look_again(context)
    except StepError as found:
        return found
    said = (str(error).strip() or type(error).__name__).splitlines()[0]
    names = [file.name for file in marks.files]
    of = f" '{names[0]}'" if len(names) == 1 and names[0] not in said else ""
    return StepError(f"the {source.kind} source{of} cannot be read: {said}", where="data.source")
