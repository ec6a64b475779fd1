"""A file of a megabyte costs about a second and 200 MB at most, whatever is in it; in a process of its own.

What fails is a runaway, since machines are noisy; `pytest -s` on this file prints the slowest and its CPU
seconds.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from mlspec.compose.reader import LARGEST, MOST_FAULTS, MOST_VALUES, read
from tests.spec.full_spec import TEXT, write_full

RUNAWAY, MEGABYTES = 20.0, 200
_CHILD = """\
import json, pathlib, resource, sys, time
from mlspec.errors import MlspecError, SpecError
from mlspec.spec.load import load
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
load(pathlib.Path("spec.yaml"), data=False)  # imports are no part of it
found = {}
for name in sys.argv[1:]:
    start = time.process_time()
    try:
        load(pathlib.Path(name), data=False)
        faults = 0
    except SpecError as error:
        faults = len(error.faults)
    except MlspecError:
        faults = 1
    found[name] = [faults, time.process_time() - start]
status = pathlib.Path("/proc/self/status")  # ru_maxrss would count the parent's memory as well
peak = 0.0
if status.exists():
    peak = int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
print(json.dumps({"files": found, "megabytes": peak}))
"""
_MANY = MOST_VALUES // 2 - 500


def _big() -> dict[str, str]:
    """Return texts that are as large as a file may be, or hold as many values as one may hold."""
    lines = {
        "keys": "k{}: 1\n",
        "almost_keys": "trainin{}: 1\n",
        "features": "    c{}: nmber\n",
        "good_features": "    c{}: number\n",
        "exports": "  e{}: onnx\n",
        "references": "x{}: ${{nothing}}\n",
        "environment": "x{}: ${{oc.env:NAME}}\n",
        "notes": "x-{}: 1\n",
        "options": "  h{}: 1\n",
    }
    heads = {
        "features": "data:\n  features:\n",
        "good_features": "data:\n  features:\n",
        "exports": "exports:\n",
        "options": "model:\n  kind: mlp\n",
    }
    texts = {
        name: heads.get(name, "") + "".join(line.format(number) for number in range(_MANY))
        for name, line in lines.items()
    }
    texts |= {
        "more_keys": "".join(f"k{number}: 1\n" for number in range(90_000)),
        "same_key": "a: 1\n" * 190_000,
        "a_list": "a: [" + "1," * (LARGEST // 2 - 10) + "1]",
        "metrics": "evaluation:\n  metrics: [" + "aurocc, " * (MOST_VALUES - 200) + "x]\n",
        "gates": "evaluation:\n  gates:\n" + "    - {metric: aurocc, atleast: 1}\n" * 9_000,
        "aliases": "a: &a 1\n" + "".join(f"b{number}: *a\n" for number in range(80_000)),
        "numbers": "a: [" + "1e999," * 150_000 + "1]",
        "long_key": "k" * (LARGEST - 100) + ": 1\n",
        "long_word": "model: " + "k" * (LARGEST - 100) + "\n",
        "a_comment": "# " + "x" * (LARGEST - 10),
        "blank": "\n" * (LARGEST - 10),
        "quoted": 'a: "' + "\\u0041" * 160_000 + '"',
        "presets": "defaults:\n" + "  - hardware: cpu\n" * 16_000,
        "brackets": "a: " + "[" * (LARGEST - 10),
        "nested": "a:\n" + "  - - - - - - - - - 1\n" * 40_000,
        "tabs": "\t" * (LARGEST - 10),
        "zeros": "\x00" * (LARGEST - 10),
    }
    return texts


def _measure(folder: Path, texts: dict[str, bytes]) -> dict[str, list[float]]:
    write_full(folder)
    for name, text in texts.items():
        (folder / name).write_bytes(text)
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, *texts], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["megabytes"] < MEGABYTES, told
    files: dict[str, list[float]] = told["files"]
    seconds, slowest = max((seconds, name) for name, (_, seconds) in files.items())
    print(f"slowest of {len(files)}: {slowest}, {seconds:.2f} s")
    assert seconds < RUNAWAY, slowest
    return files


@pytest.mark.slow
def test_the_largest_files_are_answered(tmp_path: Path) -> None:
    texts = _big()
    found = _measure(tmp_path, {name: text.encode() for name, text in texts.items()})
    assert set(found) == set(texts)
    for name, (faults, _) in found.items():
        assert 1 <= faults <= 2 * MOST_FAULTS + 10, name


@pytest.mark.slow
def test_changed_bytes_never_cost_more(tmp_path: Path) -> None:
    chance = random.Random(3)
    source = TEXT.encode()
    texts = {}
    for number in range(400):
        text = bytearray(source)
        for _ in range(chance.randrange(1, 12)):
            place = chance.randrange(len(text))
            match chance.randrange(4):
                case 0:
                    text[place] = chance.randrange(256)
                case 1:
                    del text[place : place + chance.randrange(1, 30)]
                case 2:
                    text[place:place] = text[place : place + chance.randrange(200)]
                case _:
                    text[place:place] = chance.choice([b"{", b"[", b": ", b"\n", b"- ", b"&a ", b"${", b"'"])
        texts[f"f{number}"] = bytes(text)
    found = _measure(tmp_path, texts)
    assert len(found) == 400


def test_a_few_large_files_are_answered(tmp_path: Path) -> None:
    texts = _big()
    chosen = ("almost_keys", "more_keys", "same_key", "presets", "environment")
    found = _measure(tmp_path, {name: texts[name].encode() for name in chosen})
    assert found["almost_keys"][0] == MOST_FAULTS + 1


def test_more_faults_than_are_told_are_counted() -> None:
    faults = read("a", "a: 1\n" * 1_000)[1]
    assert len(faults) == MOST_FAULTS + 1
    assert (faults[-1].code, str(faults[-1].where)) == ("MS0120", f"a:{MOST_FAULTS + 2}:1")


def test_more_values_than_a_spec_has_are_refused() -> None:
    text = "".join(f"k{number}: 1\n" for number in range(MOST_VALUES))
    assert [(fault.code, str(fault.where)) for fault in read("a", text)[1]] == [
        ("MS0108", f"a:{MOST_VALUES // 2}:{len(str(MOST_VALUES // 2)) + 4}")
    ]
