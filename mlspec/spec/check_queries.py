"""Whether what is exported as a query can be one, and whether nothing is done with it that takes a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from mlspec import registry
from mlspec.compose.composed import Composed
from mlspec.compose.document import KeyPath
from mlspec.errors import Fault, MissingError
from mlspec.sdk.model import Model
from mlspec.spec.spec import Spec


def check_queries(spec: Spec, composed: Composed) -> Iterator[Fault]:
    """Give models, features and calibrations that no SQL is written of, and deployments of a query."""
    queries = [name for name, export in spec.exports.items() if export.form == "query"]
    for name in queries:
        place: KeyPath = ("exports", name)
        if not type(spec.model).as_query:
            what = f"no SQL query is written of the model '{spec.model.kind}', as 'exports.{name}' asks for"
            fix = f"take a model of {' or '.join(_able())}, or export it as onnx"
            yield composed.fault("MS0391", what, place, key=True, fix=fix)
        calibration = spec.training.calibration
        if calibration is not None and not type(calibration).as_query:
            what = f"no SQL query is written of the calibration '{calibration.kind}'"
            yield composed.fault("MS0391", what, place, key=True, fix="export it as onnx")
        if spec.data.features == "auto":
            continue
        for column, feature in spec.data.features.items():
            if not type(feature).as_query:
                what = f"no SQL query is written of the feature '{feature.kind}' of the column '{column}'"
                fix = "export it as onnx, or set as_query in the plug-in if its nodes are known"
                yield composed.fault("MS0391", what, place, key=True, fix=fix)
    for name, deployment in spec.deployments.items():
        if deployment.export in queries:
            what = f"'exports.{deployment.export}' is a query, which its database answers; nothing packs it"
            fix = "deploy an export of kind onnx beside it: exports: {served: onnx}"
            yield composed.fault("MS0391", what, ("deployments", name, "export"), fix=fix)


def _able() -> list[str]:
    found = []
    for name in registry.kinds("model"):
        with suppress(MissingError):  # an untrusted plug-in is not asked
            kind: type[Model] = registry.find("model", name)
            found += [name] if kind.as_query else []
    return found
