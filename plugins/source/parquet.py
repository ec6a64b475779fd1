"""`source: {kind: parquet}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from mlspec.errors import StepError
from mlspec.sdk.context import Context
from mlspec.sdk.fields import Path
from mlspec.sdk.source import Source

if TYPE_CHECKING:
    import ibis


class Parquet(Source):
    """Read Parquet files as one table."""

    path: Path
    """File or glob; relative paths start at the spec's folder. Files of a glob must have the same columns."""

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return instances that the contract tests use."""
        return (cls(kind="parquet", path="table.parquet"), cls(kind="parquet", path="*.parquet"))

    def dependencies(self) -> tuple[str, ...] | None:
        """Return the file, or None for a glob."""
        from mlspec.engine.reading.places import is_glob

        return None if is_glob(self.path) or "://" in self.path else (self.path,)

    def columns(self, context: Context) -> tuple[str, ...]:
        """Return the columns' names from the footers."""
        import pyarrow
        from pyarrow import parquet

        from mlspec.engine.reading.check_columns import check_columns
        from mlspec.engine.reading.places import name_of, places

        first: tuple[str, ...] | None = None
        for file in places(self.path, context):
            name = name_of(file, context)
            try:
                schema = parquet.read_schema(file)
            except (pyarrow.ArrowException, OSError) as error:
                raise StepError(
                    f"'{name}' is no whole Parquet file: {error}", where="data.source.path"
                ) from error
            names = tuple(schema.names)
            if first is not None and names != first:
                raise StepError(
                    f"'{name}' has other columns than the first file of '{self.path}'",
                    where="data.source.path",
                )
            first = check_columns(names, f"'{name}'")
        return first or ()

    def table(self, context: Context) -> ibis.Table:
        """Return the rows with the types of the files."""
        from mlspec.engine.database import database
        from mlspec.engine.reading.places import places
        from mlspec.engine.sql import literal

        self.columns(context)
        files = ", ".join(literal(str(file)) for file in places(self.path, context))
        found: ibis.Table = database(context).sql(
            f"SELECT * FROM read_parquet([{files}], hive_partitioning = false)", dialect="duckdb"
        )
        return found

    def fingerprint(self, context: Context) -> dict[str, Any]:
        """Return names, sizes and SHA-256 of the files."""
        from mlspec.engine.reading.places import fingerprint_of, places

        return fingerprint_of(places(self.path, context), context)
