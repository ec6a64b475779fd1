"""`mlspec plugins SLOT KIND --check`: a user's own plug-in is held to what shipped ones are held to."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path

import pytest

from mlspec.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
ODD = '''\
"""A metric with faults."""

from __future__ import annotations

import numpy as np

from mlspec.sdk.metric import Answers, Metric


class Odd(Metric):
    """Counts what is right, the wrong way."""

    targets = ("binary",)
    better = "lower"
    share: float = 0.5

    def value(self, answers: Answers) -> float:
        """Return the share of right labels, whatever the rows weigh."""
        return float(np.mean(answers.truth == answers.labels))
'''
EVEN = (
    ODD.replace("A metric with faults", "A metric")
    .replace("import numpy as np\n\n", "")
    .replace("class Odd", "class Even")
    .replace(', the wrong way."""', '."""')
    .replace('"lower"', '"higher"')
    .replace("    share: float = 0.5\n", "")
    .replace("return float(np.mean(answers.truth == answers.labels))", """import numpy as np

        weight = np.ones(len(answers.truth)) if answers.weight is None else answers.weight
        right = weight[answers.truth == answers.labels].sum()
        return float(right / weight.sum()) if weight.sum() else float("nan")""")
)  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "plugins" / "metric"
    folder.mkdir(parents=True)
    (folder / "odd.py").write_text(ODD)
    (folder / "even.py").write_text(EVEN)
    (tmp_path / "spec.yaml").write_text("")
    monkeypatch.setenv("MLSPEC_TRUST", "1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_each_fault_is_told_with_its_mend(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "metric", "odd", "--check"]) == 1
    told = capsys.readouterr().out
    for words in (
        "odd, example 1 of 1: {'share': 0.5}",
        "no text stands under share",
        "odd.py imports 'numpy' at its top",
        "nearly perfect answers measure 1, wrong ones 0, and lower is better",
        "fix: weigh each row by `answers.weight`",
        "of rows that weigh nothing it says 1.0, and must say NaN",
        "  holds  does not look at the order of rows",
        "4 of 9 hold",
    ):
        assert words in told, words


def test_what_does_all_that_it_must_ends_well(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "metric", "even", "--check", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["slot"], told["kind"]) == ("metric", "even")
    assert len(told["verdicts"]) == 9 and all(one["holds"] for one in told["verdicts"])


def test_a_plugin_that_raises_is_broken_and_the_others_go_on(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "plugins/metric/odd.py").write_text(EVEN.replace("Even", "Odd").replace("right /", "rigth /"))
    assert main(["plugins", "metric", "odd", "--check"]) == 1
    told = capsys.readouterr().out
    assert "NameError: name 'rigth' is not defined" in told and "6 of 9 hold" in told


@pytest.mark.parametrize("words", [[], ["metric"]])
def test_one_kind_must_be_named(words: list[str], here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", *words, "--check"]) == 2
    assert "--check tries one kind" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_page_s_model_does_all_that_a_model_must(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs/how_to/add_a_model.md").read_text()
    assert "mlspec plugins model residual --check" in page
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    folder = here / "plugins" / "model"
    folder.mkdir()
    (folder / "residual.py").write_text(textwrap.dedent(blocks[0]))
    (folder / "_residual.py").write_text(textwrap.dedent(blocks[1]))
    assert main(["plugins", "model", "residual", "--check"]) == 0, capsys.readouterr().out
