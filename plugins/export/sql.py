"""One SQL query: a table's rows in, named answers out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field

from mlspec.errors import CheckFailed
from mlspec.sdk.export import Export, ExportInputs
from mlspec.sdk.fields import Column
from mlspec.sdk.parity import Parity
from mlspec.sdk.selection import TableName

if TYPE_CHECKING:
    from collections.abc import Mapping


class Sql(Export):
    """One SELECT with features, model and answers, for a database that scores its rows itself.

    Writes `model.sql`, `contract.json`, `query.json` and `parity.json`; for PostgreSQL also `duckdb.sql`, the
    same query in DuckDB's words, in which it is held against training and evaluated. The query is written
    from the ONNX graph that `onnx` exports, for the models `linear` and `gradient_boosting`.
    """

    form: ClassVar[Literal["onnx", "query"]] = "query"
    requires: ClassVar[Mapping[str, str]] = {"onnx": "train"}

    dialect: Literal["postgresql", "duckdb"] = "postgresql"
    """Whose words the query is in: PostgreSQL's (14 or newer, a database in UTF8) or DuckDB's."""
    table: TableName
    """The table or view whose rows are scored, `trips` or `sales.trips`; it has the model's columns."""
    keep: Annotated[tuple[Column, ...], Field(max_length=1000)] | None = None
    """Columns of that table that stand before the answers, such as its key; all where absent."""
    parity: Parity = Parity()
    """How it is held against training."""

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one for each database."""
        return (
            cls.revive({"table": "customers"}),
            cls.revive({"dialect": "duckdb", "table": "sales.customers", "keep": ["id"]}),
        )

    def measured(self) -> tuple[str, ...]:
        """Return the query in DuckDB's words, and what it is about."""
        return (self._duckdb, "contract.json", "query.json")

    @property
    def _duckdb(self) -> str:
        return "model.sql" if self.dialect == "duckdb" else "duckdb.sql"

    def write(self, inputs: ExportInputs, output: Path) -> dict[str, Any]:
        """Write the query and its contract, then the report, and return that.

        Raises:
            StepError: a database does not take the query, or a node of the model has none.
            CheckFailed: the query's answers differ from those of training by more than the spec allows.
        """
        from mlspec.engine.exporting.made import joined_of, replay_of
        from mlspec.engine.exporting.parity import Tolerance
        from mlspec.engine.exporting.query_parity import query_parity
        from mlspec.engine.files import write_bytes, write_json
        from mlspec.engine.querying.query import query

        shape, joined = joined_of(inputs)
        made = query(joined.model, joined.contract, self.table, self.keep)
        texts = {"model.sql": made.text(self.dialect)}
        texts[self._duckdb] = made.text("duckdb")
        for name, text in texts.items():
            head = f"-- The answers of model {joined.contract.model_version}, made by mlspec.\n"
            write_bytes(output / name, f"{head}{text};\n".encode())
        write_json(output / "contract.json", joined.contract.model_dump(mode="json"))
        about = {"file": self._duckdb, "table": self.table, "keep": self.keep}
        write_json(output / "query.json", about)
        tolerance = Tolerance(self.parity.atol, self.parity.rtol)
        replay = replay_of(inputs, self.parity.rows)
        report = query_parity(texts[self._duckdb], made, joined.contract, shape, replay, tolerance)
        write_json(output / "parity.json", report)
        if not report["passed"]:
            raise CheckFailed(
                report["text"],
                fix="export it as onnx, and report the query; widen `parity` only where that is harmless",
            )
        return report
