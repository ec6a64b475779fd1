"""What an editor makes of good specs by accident: lines doubled, moved, indented, taken from another file."""

from __future__ import annotations

import random
from pathlib import Path

from tests.spec.full_spec import TEXT

ROOT = Path(__file__).resolve().parents[2]


def texts() -> list[str]:
    """Return every text that is cut: the full spec, the examples, the shipped presets."""
    files = [*sorted((ROOT / "examples").glob("*/spec.yaml")), *sorted((ROOT / "conf").glob("*/*.yaml"))]
    return [TEXT, TEXT, TEXT, *(file.read_text("utf-8") for file in files)]


def spoilt(chance: random.Random, sources: list[str]) -> str:
    """Return a good text after one to six accidents."""
    text = chance.choice(sources)
    for _ in range(chance.randint(1, 6)):
        text = chance.choice((_cut, _line, _indent, _transplant, _sign, _grow))(chance, text, sources)
    return text


def _cut(chance: random.Random, text: str, _: list[str]) -> str:
    place = chance.randint(0, len(text))
    return text[:place] + text[place + chance.randint(1, 60) :]


def _line(chance: random.Random, text: str, _: list[str]) -> str:
    lines = text.split("\n")
    moved = lines.pop(chance.randrange(len(lines)))
    for _time in range(chance.randint(0, 2)):
        lines.insert(chance.randint(0, len(lines)), moved)
    return "\n".join(lines)


def _indent(chance: random.Random, text: str, _: list[str]) -> str:
    lines = text.split("\n")
    place = chance.randrange(len(lines))
    lines[place] = " " * chance.randint(0, 8) + lines[place].lstrip()
    return "\n".join(lines)


def _transplant(chance: random.Random, text: str, sources: list[str]) -> str:
    lines, others = text.split("\n"), chance.choice(sources).split("\n")
    start = chance.randrange(len(others))
    place = chance.randint(0, len(lines))
    lines[place:place] = others[start : start + chance.randint(1, 8)]
    return "\n".join(lines)


def _sign(chance: random.Random, text: str, _: list[str]) -> str:
    place = chance.randrange(max(1, len(text)))
    return (
        text[:place]
        + chr(chance.choice((chance.randrange(128), chance.randrange(0xD800))))
        + text[place + 1 :]
    )


def _grow(chance: random.Random, text: str, _: list[str]) -> str:
    place = chance.randint(0, len(text))
    return text[:place] + text[place : place + 12] * chance.randint(2, 40) + text[place + 12 :]
