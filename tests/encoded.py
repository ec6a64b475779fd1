"""One column through the feature graph: fitted on some rows, asked about others."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from mlspec.engine.builder import CODES, NUMBERS
from mlspec.engine.graph.features import build_features, fit_features, input_columns, shape
from mlspec.engine.graph.session import Session
from mlspec.sdk.contract import JsonType, ModelInputs
from mlspec.sdk.slot import Slot


def encoded(
    option: Any, train: pa.Array, asked: pa.Array, held: JsonType
) -> tuple[dict[str, np.ndarray], ModelInputs]:
    """Return the numbers by name and the codes of `asked`, and the shape, after a fit on `train`.

    Args:
        option: A feature as the spec has it.
        train: The training split's column.
        asked: Raw values as a caller sends them.
        held: What the raw column holds.
    """
    columns = fit_features(ibis.memtable(pa.table({"x": train})), {"x": Slot("feature").choose(option)})
    session = Session(build_features(columns).SerializeToString(), input_columns(columns, {"x": held}))
    answers = session.run(pa.RecordBatch.from_pydict({"x": asked}))
    known = shape(columns)
    assert answers[NUMBERS].dtype == np.float32
    assert answers[CODES].dtype == np.int64
    assert np.isfinite(answers[NUMBERS]).all()
    assert answers[NUMBERS].shape == (len(asked), known.numbers)
    assert answers[CODES].shape == (len(asked), len(known.sizes))
    found = {name: answers[NUMBERS][:, place] for place, name in enumerate(known.number_names)}
    return found | {name: answers[CODES][:, place] for place, name in enumerate(known.code_names)}, known
