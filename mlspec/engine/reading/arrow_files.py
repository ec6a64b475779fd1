"""Files of Arrow's IPC format as one table that is read in batches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import dataset, fs

from mlspec.engine.reading.partitions import FILE, Partitions
from mlspec.engine.reading.places import name_of
from mlspec.errors import StepError
from mlspec.sdk.context import Context


def arrow_files(
    files: Sequence[Path], schema: pa.Schema, folders: Partitions, context: Context, *, named: bool = False
) -> dataset.Dataset:
    """Return the rows of some files in their order, with the columns that their folders are.

    Every batch is looked at before: offsets that point out of a buffer would be read as they are.

    Args:
        files: At least one.
        schema: Of each.
        folders: The columns that their folders are.
        context: Where relative paths start.
        named: Whether a last column, `FILE`, holds the path of each row's file.

    Raises:
        StepError: a file is damaged.
    """
    form, local = dataset.IpcFileFormat(), fs.LocalFileSystem()
    whole = schema.remove_metadata()
    for name in (*folders.columns, *([FILE] if named else ())):
        whole = whole.append(pa.field(name, pa.string()))
    pieces = []
    for file in files:
        _check(file, name_of(file, context, folders.root))
        condition = None
        values = folders.values(file) | ({FILE: str(file)} if named else {})
        for name, value in values.items():
            column = dataset.field(name)
            found = column.is_null() if value is None else column == value
            condition = found if condition is None else condition & found
        pieces.append(form.make_fragment(str(file), local, partition_expression=condition))
    return dataset.FileSystemDataset(pieces, whole, form, local)


def _check(file: Path, name: str) -> None:
    try:
        with pa.memory_map(str(file)) as content:
            reader = pa.ipc.open_file(content)
            for place in range(reader.num_record_batches):
                reader.get_batch(place).validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise StepError(f"'{name}' is damaged: {error}", where="data.source.path") from error
