"""One ONNX file: raw columns in, named answers out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from mlspec.errors import CheckFailed, StepError
from mlspec.sdk.calibration import Calibration
from mlspec.sdk.contract import FittedTarget, InputColumn, ModelInputs
from mlspec.sdk.export import Export, ExportInputs
from mlspec.sdk.frozen import Section, freeze
from mlspec.sdk.slot import Slot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlspec.engine.builder import Builder
    from mlspec.engine.exporting.join import Joined
    from mlspec.engine.exporting.replay import Replay


class Parity(Section):
    """How far the file's answers may lie from those of training: `atol + rtol * |expected|`."""

    rows: int = Field(default=1000, ge=1, le=10_000)
    """Held-out rows that are compared; made-up hostile ones are added."""
    atol: float = Field(default=1e-5, ge=0)
    """Distance that is always allowed (probability; for a number target in its standard deviations)."""
    rtol: float = Field(default=1e-5, ge=0)
    """Distance allowed as a fraction of the answer."""


class Onnx(Export):
    """One self-contained ONNX file of features, network and answers, held against training before it leaves.

    Writes `model.onnx`, `contract.json`, `conformance.json` and `parity.json`. Any ONNX Runtime opens it, in
    any language; the contract says what each column must hold.
    """

    requires: ClassVar[Mapping[str, str]] = {"onnx": "train", "onnxruntime": "train"}

    opset: Literal[20] = 20
    """Version of ONNX's operators in the file."""
    parity: Parity = Parity()
    """How it is held against training."""

    def write(self, inputs: ExportInputs, output: Path) -> dict[str, Any]:
        """Write the file and its contract, then the reports, and return the parity report.

        Raises:
            CheckFailed: the file's answers differ from those of training by more than the spec allows.
        """
        from mlspec.engine.exporting.parity import Tolerance, parity
        from mlspec.engine.files import write_bytes, write_json
        from mlspec.engine.graph.conformance import conformance
        from mlspec.engine.graph.session import Session

        shape, joined = _join(inputs)
        content = joined.model.SerializeToString(deterministic=True)
        write_bytes(output / "model.onnx", content)
        write_json(output / "contract.json", joined.contract.model_dump(mode="json"))
        replay = _replay(inputs, self.parity.rows)
        tolerance = Tolerance(self.parity.atol, self.parity.rtol)
        report = parity(content, joined.contract, shape, replay, tolerance)
        write_json(output / "parity.json", report)
        if not report["passed"]:
            raise CheckFailed(
                report["text"],
                fix="a feature or a model plug-in is at fault; widen `parity` only where that is harmless",
            )
        session = Session(content, joined.contract.inputs)
        write_json(output / "conformance.json", conformance(joined.contract, session, replay.rows))
        return report


def _join(inputs: ExportInputs) -> tuple[ModelInputs, Joined]:
    import onnx

    from mlspec.engine.exporting.join import Parts, join
    from mlspec.engine.files import read_json

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


def _replay(inputs: ExportInputs, rows: int) -> Replay:
    """Return the first held-out rows and every hostile one, with what training makes of them."""
    import numpy as np
    from pyarrow import parquet

    from mlspec.engine.exporting.replay import Replay
    from mlspec.engine.preparing.shards import open_shards
    from mlspec.sdk.encoded import Encoded

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
