"""Parts that are kept for the next run: whole and of their own key, or not at all."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from mlspec.engine import parts as module
from mlspec.engine.parts import ABOUT, Part, Parts, key_of

KEY = key_of("one")
DAMAGES = ("changed", "cut", "gone", "more", "about", "no_about", "sealless", "moved")


def _put(parts: Parts, key: str = KEY, text: str = "rows") -> Part:
    def fill(folder: Path) -> dict[str, int]:
        (folder / "rows.txt").write_text(text)
        return {"rows": len(text)}

    return parts.put(key, fill)


def test_what_was_put_is_found(tmp_path: Path) -> None:
    parts = Parts(tmp_path / "parts")
    assert parts.find(KEY) is None
    assert _put(parts).about == {"rows": 4}
    found = parts.find(KEY)
    assert found is not None
    assert found.about == {"rows": 4}
    assert (found.folder / "rows.txt").read_text() == "rows"
    assert parts.find(key_of("another")) is None


@pytest.mark.parametrize(
    "damage", ["changed", "cut", "gone", "more", "about", "no_about", "sealless", "moved"]
)
def test_a_damaged_or_foreign_part_is_not_believed_and_is_made_again(tmp_path: Path, damage: str) -> None:
    parts = Parts(tmp_path)
    place = _put(parts, key_of("another") if damage == "moved" else KEY).folder
    about = place / ABOUT
    if damage == "changed":
        (place / "rows.txt").write_text("sows")
    elif damage == "cut":
        (place / "rows.txt").write_text("ro")
    elif damage == "gone":
        (place / "rows.txt").unlink()
    elif damage == "more":
        (place / "more.txt").write_text("x")
    elif damage == "about":
        about.write_text(about.read_text().replace('"rows": 4', '"rows": 5'))
    elif damage == "no_about":
        about.unlink()
    elif damage == "sealless":
        about.write_text(json.dumps([1]))
    else:
        place.rename(tmp_path / KEY)
    assert parts.find(KEY) is None
    assert _put(parts).about == {"rows": 4}
    assert parts.find(KEY) is not None


def test_two_processes_may_put_the_same_part(tmp_path: Path) -> None:
    parts = Parts(tmp_path)

    def fill(folder: Path) -> dict[str, int]:
        (folder / "rows.txt").write_text("rows")
        _put_by_another(parts)
        return {"rows": 4}

    def _put_by_another(parts: Parts) -> None:
        other = Parts(tmp_path / "other")
        shutil.move(str(_put(other).folder), parts.folder / KEY)

    assert (parts.put(KEY, fill).folder / "rows.txt").read_text() == "rows"
    assert parts.find(KEY) is not None


def test_a_failed_part_leaves_nothing_and_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    parts = Parts(tmp_path)

    def fill(folder: Path) -> dict[str, int]:
        (folder / "half").write_text("x")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        parts.put(KEY, fill)
    assert list(tmp_path.iterdir()) == []
    dead, alive = tmp_path / f".{KEY}.{2**22 + 1}", tmp_path / f".{KEY}.{os.getpid()}"
    for folder in (dead, alive):
        folder.mkdir()
    parts.tidy(())
    assert [alive] == list(tmp_path.iterdir())


def test_the_longest_unused_go_first_and_what_is_in_use_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = Parts(tmp_path)
    keys = [key_of(place) for place in range(4)]
    for place, key in enumerate(keys):
        folder = _put(parts, key, "x" * 1000).folder
        os.utime(folder, (place, place))
    size = sum(file.stat().st_size for file in (tmp_path / keys[0]).iterdir())
    monkeypatch.setattr(module, "MOST", 2 * size + 10)
    parts.tidy({keys[0]})
    assert {folder.name for folder in tmp_path.iterdir()} == {keys[0], keys[3]}
