"""Versions of what was at work."""

from __future__ import annotations

import platform
import sys

from mlspec import __version__

LIBRARIES = {
    "bentoml": "bentoml", "dvc": "dvc", "duckdb": "duckdb", "ibis": "ibis-framework", "numpy": "numpy",
    "onnx": "onnx", "onnxruntime": "onnxruntime", "pyarrow": "pyarrow",
    "pytorch_lightning": "pytorch-lightning", "sklearn": "scikit-learn", "torch": "torch",
}  # fmt: skip
"""Modules whose version may change a result, and what installs each."""


def versions() -> dict[str, str]:
    """Return the versions of mlspec, Python and the libraries that this process has imported."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"mlspec": __version__, "python": platform.python_version()}
    for module, package in LIBRARIES.items():
        if module in sys.modules:
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                found[package] = "unknown"
    return found
