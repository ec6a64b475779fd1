"""Where profiles of one model's rows and answers lie."""

from __future__ import annotations

from pathlib import Path

from mlspec.sdk.contract import Contract


def profiles_folder(base: Path, contract: Contract) -> Path:
    """Return the folder of a model's profiles below the one that a user named: each version has its own.

    Profiles of two models are never mixed: the answers of the one say nothing of the other's reference.

    Example:
        >>> from mlspec.sdk.contract import FittedTarget
        >>> target = FittedTarget(column="y", kind="number")
        >>> made = Contract(name="a", target=target, inputs=(), outputs=(), model_version="0f3a")
        >>> profiles_folder(Path("profiles"), made).as_posix()
        'profiles/0f3a'
    """
    return base / (contract.model_version or "unversioned")
