"""A repository that wants its code to run: nothing of it does before somebody trusts it."""

from __future__ import annotations

import os
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest

from tests.spec.full_spec import TEXT, write_full

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = '''
from mlspec.sdk.metric import Answers, Metric

class Luck(Metric):
    """A coin."""

    targets = ("binary",)
    better = "higher"

    def value(self, answers: Answers) -> float:
        return 1.0
'''


class Trap:
    """A workspace in which every file that Python might import by itself writes `ran`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ran = folder / "work", folder / "ran"
        self.evil = f"open({str(self.ran)!r}, 'a').write(__name__ + chr(10))\n"
        metric = self.folder / "plugins" / "metric"
        metric.mkdir(parents=True)
        (metric / "luck.py").write_text(self.evil + PLUGIN)
        (metric / "_helper.py").write_text(self.evil)
        for name in (
            "conftest.py",
            "sitecustomize.py",
            "usercustomize.py",
            "yaml.py",
            "pydantic.py",
            "setup.py",
        ):
            (self.folder / name).write_text(self.evil)
        for place in ("__init__.py", "metric/__init__.py", "conftest.py", "sitecustomize.py"):
            (self.folder / "plugins" / place).write_text(self.evil)
        (self.folder / "evil.dist-info").mkdir()
        (self.folder / "evil.dist-info" / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: evil\nVersion: 1\n"
        )
        (self.folder / "evil.dist-info" / "entry_points.txt").write_text(
            "[mlspec.metric]\ncharm = conftest:X\n"
        )
        (self.folder / "evil.pth").write_text("import conftest\n")
        write_full(self.folder, TEXT.replace("[accuracy, auroc, log_loss]", "[accuracy, auroc, luck]"))
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("MLSPEC_")},
            "XDG_CONFIG_HOME": str(folder / "config"),
            "PYTHONPATH": str(ROOT),
        }

    def call(self, *words: str, module: bool = False) -> subprocess.CompletedProcess[str]:
        start = ["-m", "mlspec"] if module else ["-c", "from mlspec.cli.main import entry; entry()"]
        if not module:
            start = ["-P", *start]  # the installed command's first entry is its own folder, not this one
        return subprocess.run(
            [sys.executable, *start, *words], cwd=self.folder, env=self.environment,
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["validate"], 3),
        (["plan"], 3),
        (["why", "seed"], 3),
        (["show"], 3),
        (["schema"], 0),
        (["plugins"], 0),
        (["plugins", "metric", "luck"], 3),
        (["completion", "_complete", "--line", "mlspec plugins metric lu"], 0),
        (["diff", "spec.yaml", "seed=8"], 3),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
@pytest.mark.parametrize("module", [False, True], ids=["command", "module"])
def test_no_verb_imports_anything_of_it(trap: Trap, words: list[str], code: int, module: bool) -> None:
    done = trap.call(*words, module=module)
    assert done.returncode == code, done.stderr
    assert not trap.ran.exists(), trap.ran.read_text()
    if code == 3:
        assert "not trusted" in done.stderr and "mlspec trust" in done.stderr


def test_a_plug_in_is_named_though_nobody_trusts_it(trap: Trap) -> None:
    assert "luck" in trap.call("plugins", "metric").stdout
    assert trap.call("completion", "_complete", "--line", "mlspec plugins metric lu").stdout == "luck\n"


def test_doctor_says_it_and_runs_nothing(trap: Trap) -> None:
    done = trap.call("doctor")
    assert "untrusted" in done.stdout and "mlspec trust" in done.stdout
    assert not trap.ran.exists()


def test_trust_lists_every_file_and_runs_none(trap: Trap) -> None:
    done = trap.call("trust")
    assert done.returncode == 0
    for name in ("plugins/metric/luck.py", "plugins/metric/_helper.py", "plugins/__init__.py"):
        assert name in done.stdout
    assert not trap.ran.exists()


def test_only_the_named_plug_in_runs_once_trusted_and_an_edit_ends_the_trust(trap: Trap) -> None:
    assert trap.call("trust").returncode == 0
    done = trap.call("validate", "--no-data")
    assert done.returncode == 0, done.stderr
    assert trap.ran.read_text() == "mlspec.plugins.metric.luck\n"
    trap.ran.unlink()
    for name in ("plugins/metric/luck.py", "plugins/metric/_helper.py", "plugins/metric/data.txt"):
        file = trap.folder / name
        before = file.read_bytes() if file.exists() else None
        file.write_bytes((before or b"") + b"# more\n")
        assert trap.call("validate", "--no-data").returncode == 3, name
        assert not trap.ran.exists()
        file.unlink() if before is None else file.write_bytes(before)
    assert trap.call("validate", "--no-data").returncode == 0


def test_an_old_size_and_time_do_not_hide_an_edit(trap: Trap) -> None:
    file = trap.folder / "plugins/metric/luck.py"
    assert trap.call("trust").returncode == 0
    state = file.stat()
    file.write_text(file.read_text().replace("return 1.0", "return 2.0"))
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert file.stat().st_size == state.st_size
    assert trap.call("validate", "--no-data").returncode == 3
    assert not trap.ran.exists()


def test_bytecode_without_a_source_is_no_plug_in(trap: Trap) -> None:
    metric = trap.folder / "plugins" / "metric"
    (metric / "luck.py").unlink()
    source = trap.folder / "any.py"
    source.write_text(trap.evil)
    py_compile.compile(str(source), cfile=str(metric / "luck.pyc"))
    for words in (["trust"], ["validate", "--no-data"]):
        done = trap.call(*words)
    assert done.returncode == 2 and "'luck'" in done.stderr
    assert not trap.ran.exists()


def test_links_are_refused_by_name(trap: Trap, tmp_path: Path) -> None:
    (tmp_path / "far.py").write_text(trap.evil)
    (trap.folder / "plugins/metric/far.py").symlink_to(tmp_path / "far.py")
    done = trap.call("trust")
    assert done.returncode == 2 and "plugins/metric/far.py" in done.stderr and "is a link" in done.stderr
    assert trap.call("validate").returncode == 3
    assert not trap.ran.exists()


def test_a_shipped_kind_is_not_replaced(trap: Trap) -> None:
    (trap.folder / "plugins/metric/auroc.py").write_text(trap.evil)
    for words in (["trust"], ["validate"], ["plugins"]):
        done = trap.call(*words)
    assert done.returncode == 2 and "name of a shipped one" in done.stderr
    assert not trap.ran.exists()


def test_doctor_names_what_keeps_plug_ins_from_working(trap: Trap) -> None:
    assert trap.call("trust").returncode == 0
    assert "1 in " in trap.call("doctor").stdout
    (trap.folder / "plugins/metric/luck.py").write_text("import no_such_thing\n")
    trap.call("trust")
    assert "no_such_thing" in trap.call("doctor").stdout
    (trap.folder / "plugins/metric/auroc.py").write_text("")
    assert "name of a shipped one" in trap.call("doctor").stdout
    (trap.folder / "plugins/metric/auroc.py").unlink()
    (trap.folder / "plugins/metric/far.py").symlink_to("luck.py")
    assert "is a link" in trap.call("doctor").stdout
