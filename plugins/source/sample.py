"""`source: {kind: sample}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from mlspec.sdk.context import Context
from mlspec.sdk.source import Source

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

TARGET = "target"
_MEASURES = (
    "radius,texture,perimeter,area,smoothness,compactness,concavity,concave points,symmetry,fractal dimension"
)
COLUMNS = {
    "breast_cancer": tuple(
        form.format(name) for form in ("mean {}", "{} error", "worst {}") for name in _MEASURES.split(",")
    ),
    "diabetes": ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"),
    "digits": tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8)),
    "iris": ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"),
    "wine": (
        "alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols", "flavanoids",
        "nonflavanoid_phenols", "proanthocyanins", "color_intensity", "hue", "od280/od315_of_diluted_wines",
        "proline",
    ),
}  # fmt: skip
"""Columns of each set, so that naming them loads nothing; a test holds them against scikit-learn."""


class Sample(Source):
    """A small real table that comes with scikit-learn: no file, no network.

    The column `target` holds the class's name (breast_cancer, iris, wine), the digit as text (digits), or
    a number (diabetes).
    """

    requires: ClassVar[Mapping[str, str]] = {"sklearn": "train"}

    name: Literal["breast_cancer", "diabetes", "digits", "iris", "wine"]
    """Which set."""

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return instances that the contract tests use."""
        return tuple(cls.revive({"name": name}) for name in COLUMNS)

    def dependencies(self) -> tuple[str, ...] | None:
        """Return no files: the set is part of a package."""
        return ()

    def columns(self, context: Context) -> tuple[str, ...]:
        """Return scikit-learn's names for the columns, then `target`."""
        return (*COLUMNS[self.name], TARGET)

    def _arrow(self) -> pa.Table:
        import pyarrow as pa
        from sklearn import datasets

        loaded = getattr(datasets, f"load_{self.name}")()
        columns: dict[str, Any] = {
            name: pa.array(loaded.data[:, position], pa.float64())
            for position, name in enumerate(COLUMNS[self.name])
        }
        if self.name == "diabetes":
            columns[TARGET] = pa.array(loaded.target, pa.float64())
        else:
            columns[TARGET] = pa.array(
                [str(loaded.target_names[code]) for code in loaded.target], pa.string()
            )
        return pa.table(columns)

    def read(self, context: Context) -> ibis.Table:
        """Return the rows in scikit-learn's order."""
        from mlspec.engine.database import database

        connection = database(context)
        connection.con.register("mlspec_sample_arrow", self._arrow())
        connection.con.execute("CREATE TABLE mlspec_sample AS SELECT * FROM mlspec_sample_arrow")
        connection.con.unregister("mlspec_sample_arrow")
        found: ibis.Table = connection.table("mlspec_sample")
        return found

    def fingerprint(self, context: Context) -> dict[str, Any]:
        """Return a digest of the numbers themselves, so that a changed scikit-learn shows."""
        import hashlib

        table, digest = self._arrow(), hashlib.sha256()
        for column in table.columns:
            digest.update(repr(column.to_pylist()).encode())
        return {"sample": self.name, "rows": table.num_rows, "sha256": digest.hexdigest()}
