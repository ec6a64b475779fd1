"""The slots' folders: the shipped ones, then a trusted workspace's (`registry` resolves a kind here)."""

from pathlib import Path

_checkout = Path(__file__).resolve().parents[2] / "plugins"
if (_checkout / "model").is_dir() and not (Path(__file__).parent / "model").is_dir():
    __path__.append(str(_checkout))
