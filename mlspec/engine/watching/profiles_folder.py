"""Where profiles of one model's rows and answers lie."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mlspec.engine.files import read_json
from mlspec.sdk.contract import Contract

DIGITS = 12
"""Of a file's SHA-256, as many as a version has."""


def profiles_folder(base: Path, package: Path) -> Path:
    """Return the folder of a model's profiles below the one that a user named: each version has its own.

    Profiles of two models are never mixed: the answers of the one say nothing of the other's reference. A
    model that says no version of its own is known by the digest of its file.

    Args:
        base: What the user named.
        package: The folder with `contract.json` and `model.onnx`.
    """
    contract = Contract.revive(read_json(package / "contract.json"))
    if contract.model_version:
        return base / contract.model_version
    return base / hashlib.sha256((package / "model.onnx").read_bytes()).hexdigest()[:DIGITS]
