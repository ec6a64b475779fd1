"""What `prepare` and `train` left, as a file and as rows to hold it against."""

from __future__ import annotations

import numpy as np
import onnx
from pyarrow import parquet

from mlspec.engine.builder import Builder
from mlspec.engine.exporting.join import Joined, Parts, join
from mlspec.engine.exporting.replay import Replay
from mlspec.engine.files import read_json
from mlspec.engine.preparing.shards import open_shards
from mlspec.errors import StepError
from mlspec.sdk.calibration import Calibration
from mlspec.sdk.contract import FittedTarget, InputColumn, ModelInputs
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.export import ExportInputs
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot


def joined_of(inputs: ExportInputs) -> tuple[ModelInputs, Joined]:
    """Return the shape of encoded rows, and the file of features, model, calibration and answers."""
    described = read_json(inputs.prepared / "features.json")
    target = FittedTarget.revive(read_json(inputs.prepared / "target.json"))
    shape = ModelInputs.revive(described["shape"])
    trained = read_json(inputs.trained / "model.json")
    parts = Parts(
        name=inputs.name,
        features=onnx.load_model(inputs.prepared / "features.onnx", load_external_data=False),
        inputs=tuple(InputColumn.revive(column) for column in described["inputs"]),
        target=target,
        threshold=trained["threshold"],
        provenance=inputs.provenance,
    )
    calibration = trained.get("calibration")

    def append(builder: Builder) -> str:
        scores = inputs.model.append(builder, inputs.trained, shape, target)
        if calibration is None:
            return scores
        chosen = Slot("calibration").choose(freeze(calibration["options"]))
        assert isinstance(chosen, Calibration)
        return chosen.append(builder, scores, calibration["found"])

    return shape, join(parts, append)


def replay_of(inputs: ExportInputs, rows: int) -> Replay:
    """Return some held-out rows and every hostile one, with what training makes of them.

    Raises:
        StepError: what the steps left does not belong together.
    """
    table = parquet.read_table(inputs.prepared / "rows" / "parity.parquet")
    held_out = int((table.schema.metadata or {})[b"mlspec.held_out"])
    encoded = open_shards(inputs.prepared / "shards" / "parity")
    scores = np.load(inputs.trained / "expected.npy", allow_pickle=False)
    if not table.num_rows == encoded.rows == len(scores):
        raise StepError(
            "the rows for the parity check, their encoded form and training's answers do not belong together",
            fix="mlspec run --force prepare",
        )
    spread = np.linspace(0, held_out - 1, min(rows, held_out)).round().astype(np.int64)
    chosen = np.r_[spread, held_out : table.num_rows]
    return Replay(
        rows=table.take(chosen).combine_chunks().to_batches()[0],
        encoded=Encoded(encoded.numbers[chosen], encoded.codes[chosen], np.zeros(0)),
        scores=scores[chosen],
        hostile=chosen >= held_out,
    )
