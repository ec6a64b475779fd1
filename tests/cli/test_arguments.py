"""The words behind a verb."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

import pytest

from mlspec.cli.arguments import spec_of, words_of
from mlspec.errors import MissingError, UsageError


def parsed(*words: str, overlay: tuple[str, ...] = ()) -> argparse.Namespace:
    return argparse.Namespace(words=list(words), overlay=list(overlay))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("spec.yaml", "other.yaml", "more.yaml"):
        (tmp_path / name).write_text("name: x\n")
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [(), ("training.epochs=3",), ("other.yaml", "model={kind: linear}", "name='a b'"), ("other.yaml",)],
)
def test_told_words_name_the_same_spec_again(here: Path, words: tuple[str, ...]) -> None:
    found = spec_of(parsed(*words, overlay=("more.yaml",)))
    again = shlex.split(words_of(*found))
    place = again.index("-c")
    assert again[place + 1] == "more.yaml"
    assert spec_of(parsed(*again[:place], overlay=("more.yaml",))) == found


def test_a_spec_behind_an_override_is_told(here: Path) -> None:
    with pytest.raises(UsageError, match=r"other\.yaml"):
        spec_of(parsed("training.epochs=3", "other.yaml"))


def test_a_missing_spec_or_overlay_is_told(here: Path) -> None:
    with pytest.raises(MissingError, match=r"nope\.yaml"):
        spec_of(parsed("nope.yaml"))
    with pytest.raises(MissingError, match=r"over\.yaml"):
        spec_of(parsed("spec.yaml", overlay=("over.yaml",)))
