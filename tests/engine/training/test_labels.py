"""Names of codes, held against what the feature graph itself answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from mlspec.engine.builder import CODES
from mlspec.engine.graph.features import build_features, input_columns, shape
from mlspec.engine.graph.session import Session
from mlspec.engine.training.labels import labels
from tests.hostile import fitted, legal, types


def test_every_code_that_has_a_name_is_the_code_of_that_name(tmp_path: Path) -> None:
    columns = fitted()
    content = build_features(columns).SerializeToString()
    (tmp_path / "features.onnx").write_bytes(content)
    names, known = labels(tmp_path / "features.onnx"), shape(columns)
    inputs = input_columns(columns, types())
    asked = 0
    for place, column in enumerate(known.code_names):
        called = {code: name for code, name in names.get(column, {}).items() if code > 1}
        if not called:
            continue
        rows = legal().slice(0, 1).take(pa.array(np.zeros(len(called), np.int64)))
        at = rows.schema.get_field_index(column)
        if not pa.types.is_string(rows.schema.field(at).type):
            continue
        rows = rows.set_column(at, column, pa.array(called.values(), rows.schema.field(at).type))
        found = Session(content, inputs).run(rows)[CODES][:, place]
        assert found.tolist() == list(called)
        asked += len(called)
    assert asked > 3
