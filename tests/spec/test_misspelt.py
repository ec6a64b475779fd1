"""Every key of a full spec, misspelt in several ways by a rule, is found, and the right word is offered."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import yaml

from mlspec.errors import Place, SpecError
from mlspec.spec.load import load
from tests.spec.full_spec import TEXT, write_full

USERS_OWN = {"data.features", "exports", "deployments", "monitoring.monitors", "monitoring.drift.methods"}
"""Mappings whose keys are the user's names."""


def _keys() -> list[tuple[str, str, int, int]]:
    """Return (level, key, line, column) of each key of the language, by PyYAML's own composer."""
    found: list[tuple[str, str, int, int]] = []

    def walk(node: yaml.Node, level: str) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if level not in USERS_OWN and key.value not in ("defaults", "x-owner"):
                    found.append((level, key.value, key.start_mark.line, key.start_mark.column))
                if key.value != "defaults":
                    walk(value, f"{level}.{key.value}" if level else key.value)
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                walk(item, f"{level}[]")

    walk(yaml.compose(TEXT, Loader=yaml.SafeLoader), "")
    return found


def _slips(word: str, chance: random.Random) -> list[str]:
    """Return a dropped, a doubled, a swapped and a wrong letter."""
    place = chance.randrange(len(word) - 1)
    letters = list(word)
    letters[place], letters[place + 1] = letters[place + 1], letters[place]
    wrong = chance.choice([letter for letter in "qwxz" if letter != word[place]])
    slips = [word[:place] + word[place + 1 :], word[: place + 1] + word[place:], "".join(letters)]
    slips.append(word[:place] + wrong + word[place + 1 :])
    return [slip for slip in dict.fromkeys(slips) if slip and slip != word]


def test_misspelt_keys_are_found_where_they_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    chance = random.Random(7)
    lines = TEXT.split("\n")
    tried = placed = offered = 0
    lost = []
    for _level, key, line, column in _keys():
        for slip in _slips(key, chance):
            changed = list(lines)
            changed[line] = lines[line][:column] + slip + lines[line][column + len(key) :]
            write_full(Path(), "\n".join(changed))
            with pytest.raises(SpecError) as caught:
                load(Path("spec.yaml"))
            tried += 1
            at = [
                fault
                for fault in caught.value.faults
                if fault.where == Place("spec.yaml", line + 1, column + 1)
            ]
            placed += bool(at)
            good = any(key in (fault.fix or "") for fault in at)
            offered += good
            if not good:
                lost.append((key, slip, [fault.fix for fault in caught.value.faults]))
    print(f"{tried} slips: {placed / tried:.1%} at their place, {offered / tried:.1%} with the right word")
    assert tried > 200
    assert placed == tried
    assert offered / tried >= 0.95, lost
