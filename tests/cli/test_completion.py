"""What the shell offers, from a real bash."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlspec.cli._candidates import candidates
from mlspec.cli.main import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.yaml").write_text("name: x\n")
    (tmp_path / "rows.csv").write_text("a\n")
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "b.yml").write_text("name: x\n")
    (tmp_path / "pipelines" / "wine").mkdir(parents=True)
    plan = "# Written\ntrain:\n  seed: 1\nexport-main:\n  name: x\ninputs:\n  train: {}\nplan:\n  spec: s\n"
    (tmp_path / "pipelines" / "wine" / "plan.yaml").write_text(plan)
    assert main(["schema", "--write"]) == 0
    return tmp_path


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("mlspec val", ["validate"]),
        ("mlspec help sch", ["schema"]),
        ("mlspec plan --ch", ["--check"]),
        ("mlspec plan ", ["pipelines/", "spec.yaml", "specs/"]),
        ("mlspec plan specs/", ["specs/b.yml"]),
        ("mlspec plan -c sp", ["spec.yaml", "specs/"]),
        ("mlspec run --until ", ["export-main", "train"]),
        ("mlspec run spec.yaml --force ex", ["export-main"]),
        ("mlspec step ", ["wine"]),
        ("mlspec step wine tr", ["train"]),
        ("mlspec plan training.optimizer.l", ["training.optimizer.lr="]),
        ("mlspec plan spec.yaml training.optimizer.kind=sg", ["training.optimizer.kind=sgd"]),
        ("mlspec plan hardware=c", ["hardware=cpu", "hardware=cpu_2"]),
        ("mlspec why training.optimizer.we", ["training.optimizer.weight_decay"]),
        ("mlspec plugins mod", ["model"]),
        ("mlspec plugins model ml", ["mlp"]),
        ("mlspec completion ", ["bash", "fish", "zsh"]),
        ("mlspec init --from ro", ["rows.csv"]),
        ("mlspec nonsense ", []),
        ("mlspec plan 'unclosed", []),
        ("mlspec", []),
    ],
)  # fmt: skip
def test_each_place_offers_what_may_stand_there(here: Path, line: str, wanted: list[str]) -> None:
    assert candidates(line) == wanted


def test_nothing_of_the_folder_can_break_it(here: Path) -> None:
    (here / ".mlspec" / "spec.schema.json").write_text("[1, {")
    (here / "pipelines" / "wine" / "plan.yaml").write_bytes(b"\xff: [\n")
    assert candidates("mlspec plan tr") == []
    assert candidates("mlspec run --until ") == []
    (here / ".mlspec" / "spec.schema.json").write_text('{"properties": {"a": {"$ref": "#"}}}')
    assert candidates("mlspec why a") == ["a"]


BASH, ZSH, FISH = shutil.which("bash"), shutil.which("zsh"), shutil.which("fish")


def with_mlspec(folder: Path) -> dict[str, str]:
    """Return an environment in which `mlspec` is this tree's."""
    wrapper = folder / "bin" / "mlspec"
    wrapper.parent.mkdir(exist_ok=True)
    wrapper.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -c "from mlspec.cli.main import entry; entry()" "$@"\n'
    )
    wrapper.chmod(0o755)
    path = f"{wrapper.parent}:{os.environ['PATH']}"
    home = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    return {**os.environ, **home, "PATH": path, "PYTHONPATH": str(ROOT), "TERM": "dumb"}


def bash(folder: Path, line: str) -> list[str]:
    """Return what bash would put in the place of the last word."""
    environment = with_mlspec(folder)
    # The words as readline parts them: '=' and ':' stand alone.
    script = """
    eval "$(mlspec completion bash)"
    COMP_LINE="$1" COMP_POINT=${#1}
    mapfile -t COMP_WORDS < <(python_words "$1")
    COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
    complete -p mlspec >&2
    _mlspec
    printf '%s\\n' "${COMPREPLY[@]}"
    """
    parts = (
        f"python_words() {{ {sys.executable} -c '"
        "import re, sys; line = sys.argv[1]; "
        'words = re.findall(r"[^\\s=:]+|[=:]+", line); '
        'print("\\n".join(words + ([""] if line[-1].isspace() else [])))'
        '\' "$1"; }\n'
    )
    assert BASH is not None
    done = subprocess.run(
        [BASH, "--norc", "-c", parts + script, "bash", line], cwd=folder, capture_output=True, text=True,
        env=environment, timeout=60, check=True,
    )  # fmt: skip
    assert "-F _mlspec" in done.stderr, done.stderr
    return done.stdout.split()


@pytest.mark.skipif(BASH is None, reason="there is no bash here")
@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("mlspec vali", ["validate"]),
        ("mlspec plan sp", ["spec.yaml", "specs/"]),
        ("mlspec run --until exp", ["export-main"]),
        ("mlspec plan training.optimizer.kind=sg", ["sgd"]),
        ("mlspec plan training.optimizer.kind=", ["adam", "adamw", "sgd"]),
    ],
)
def test_bash_puts_the_words_in_place(here: Path, line: str, wanted: list[str]) -> None:
    assert bash(here, line) == wanted


def zsh(folder: Path, line: str) -> str:
    """Return the line as zsh makes it when Tab is pressed at its end: on a terminal, as a person does."""
    assert ZSH is not None
    leader, follower = pty.openpty()
    shell = subprocess.Popen(
        [ZSH, "-f", "-i"], cwd=folder, env=with_mlspec(folder), stdin=follower, stdout=follower,
        stderr=follower, start_new_session=True, close_fds=True,
    )  # fmt: skip
    os.close(follower)
    heard = ""

    def hear(wanted: str) -> None:
        nonlocal heard
        end = time.monotonic() + 60
        while not re.search(wanted, heard):
            assert time.monotonic() < end, heard
            if select.select([leader], [], [], 0.2)[0]:
                heard += os.read(leader, 65_536).decode("utf-8", "replace")

    try:
        setup = "autoload -U compinit; compinit -u -D; unsetopt zle_bracketed_paste; "
        os.write(leader, (setup + 'eval "$(mlspec completion zsh)"; print RE""ADY\r').encode())
        hear("READY")
        # Behind the completion Ctrl-A and a command in front, so that the shell tells the line that it has.
        os.write(leader, f"{line}\t".encode() + b"\x01print -r -- GO''T: \r")
        hear(r"GOT: [^\r\n]*\r?\n")
    finally:
        shell.kill()
        shell.wait()
        os.close(leader)
    return re.findall(r"GOT: ([^\r\n]*)\r?\n", heard)[-1]


@pytest.mark.skipif(ZSH is None, reason="there is no zsh here")
@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("mlspec vali", "mlspec validate"),
        ("mlspec run --until exp", "mlspec run --until export-main"),
        ("mlspec plan training.optimizer.kind=sg", "mlspec plan training.optimizer.kind=sgd"),
        ("mlspec plan training.optimizer.l", "mlspec plan training.optimizer.lr="),
    ],
)
def test_zsh_finishes_the_line(here: Path, line: str, wanted: str) -> None:
    assert zsh(here, line) == wanted


@pytest.mark.skipif(FISH is None, reason="there is no fish here")
@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("mlspec vali", {"validate"}),
        ("mlspec run --until exp", {"export-main"}),
        ("mlspec plan training.optimizer.kind=sg", {"training.optimizer.kind=sgd"}),
    ],
)
def test_fish_offers_the_words(here: Path, line: str, wanted: set[str]) -> None:
    assert FISH is not None
    script = "mlspec completion fish | source; complete -C $argv[1]"
    done = subprocess.run(
        [FISH, "--no-config", "-c", script, line], cwd=here, env=with_mlspec(here), capture_output=True,
        text=True, timeout=60, check=True,
    )  # fmt: skip
    assert wanted <= {found.partition("\t")[0] for found in done.stdout.splitlines()}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_legal_where_the_shell_is_here(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "mlspec completion _complete --line" in script
    if shutil.which(shell):
        done = subprocess.run(
            [shell, "-n", "/dev/stdin"], input=script, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 2
    assert "tcsh" in capsys.readouterr().err


def test_completing_imports_nothing_heavy(here: Path) -> None:
    code = (
        "import sys\nfrom mlspec.cli.main import main\n"
        "for line in sys.argv[1:]: main(['completion', '_complete', '--line', line])\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)\n"
    )
    lines = [
        "mlspec ",
        "mlspec run --",
        "mlspec plan tr",
        "mlspec plugins model ",
        "mlspec why s",
        "mlspec score ",
    ]
    done = subprocess.run(
        [sys.executable, "-c", code, *lines], cwd=here, capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True,
    )  # fmt: skip
    loaded = set(done.stderr.split())
    assert loaded.isdisjoint(
        {"pydantic", "yaml", "hydra", "omegaconf", "rich", "dvc", "numpy", "pyarrow", "torch"}
    )
