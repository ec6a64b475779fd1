"""What later rows are compared with: the distribution of every input on the training split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis

from mlspec.engine.checking.quantiles import quantiles
from mlspec.engine.checking.top import top
from mlspec.engine.reading.flat import flat

STEPS = 1000
"""Steps between the smallest and the largest value; one quantile more than steps is kept."""
MOST = 1000
"""Values of a text column that are counted one by one."""


def reference(table: ibis.Table, nulls: Mapping[str, int]) -> dict[str, Any]:
    """Return the profile of a table's columns, as `docs/architecture.md` describes `reference.json`.

    Args:
        table: Typed rows with `mlspec_row`; every other column is profiled.
        nulls: Rows in which each column holds nothing.
    """
    plain, forms = flat(table)
    rows = int(plain.count().to_pyarrow().as_py())
    columns: dict[str, Any] = {}
    for name, form in forms.items():
        if form == "number":
            values = quantiles(plain, name, [step / STEPS for step in range(STEPS + 1)], rows)
            columns[name] = {"kind": "number", "quantiles": values, "nulls": nulls[name]}
        else:
            counts = dict(top(plain, name, MOST))
            columns[name] = {
                "kind": "category",
                "counts": counts,
                "other": rows - nulls[name] - sum(counts.values()),
                "nulls": nulls[name],
            }
    return {"rows": rows, "columns": columns}
