"""DVC, in process: the one file that calls into it (docs/decisions/0002 has its weaknesses)."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlspec.errors import MissingError, PlanError, StepError
from mlspec.plan.plan import Plan, Step
from mlspec.plan.plots import plots
from mlspec.run.workspace import quiet

WDIR = "../.."
_PID_OF_FOLDER = re.compile(r"-(\d+)$")
_PID_OF_FILE = re.compile(r"\.(\d+)\.tmp$")


class Store:
    """What DVC knows of a workspace; opened by `store()`."""

    def __init__(self, root: Path, repo: Any) -> None:
        self.root, self._repo = root, repo
        self._locks: dict[str, dict[str, Any]] = {}

    def recorded(self, step: Step) -> Mapping[str, Any]:
        """Return what dvc.lock says of a step; empty where it says nothing."""
        if step.pipeline not in self._locks:
            self._locks[step.pipeline] = _read_lock(self.root / "pipelines" / step.pipeline / "dvc.lock")
        found: Mapping[str, Any] = self._locks[step.pipeline].get(step.name, {})
        return found

    def stage(self, step: Step) -> Any:
        """Return DVC's own value of a step, with what dvc.lock recorded of it."""
        from dvc.dvcfile import ProjectFile
        from dvc.stage.loader import StageLoader

        file = ProjectFile(self._repo, str(self.root / "pipelines" / step.pipeline / "dvc.yaml"))
        return StageLoader.load_stage(file, step.name, stage_of(step), dict(self.recorded(step)))

    def changes(self, paths: list[Any]) -> dict[str, str]:
        """Return which of some dependencies or outputs are `modified`, `deleted` or `not in cache`."""
        found: dict[str, str] = {}
        for path in paths:
            for state in path.status().values():
                found[path.def_path] = str(state)
        return found

    def restore(self, stage: Any) -> bool:
        """Bring a stage's folder back if this very work was done before; say whether it was."""
        found = self._restore(stage, pull=False)
        if not found and self._repo.config["core"].get("remote"):
            found = self._restore(stage, pull=True)
        if found:
            self._save(stage)
        return found

    def _restore(self, stage: Any, pull: bool) -> bool:
        from dvc.exceptions import DvcException
        from dvc.stage.cache import RunCacheNotFoundError

        try:
            self._repo.stage_cache.restore(stage, pull=pull)
        except RunCacheNotFoundError:
            return False
        except DvcException as fault:
            if not pull:
                raise StepError(f"DVC cannot restore '{stage.name}': {fault}", where=stage.name) from fault
            return False  # a remote that is away is no reason not to do the work here
        return True

    def work(self, stage: Any, action: Callable[[], None]) -> None:
        """Do a stage's work: nobody else may touch its files, and other DVC commands go on."""
        from dvc.lock import LockError
        from dvc.stage.decorators import rwlocked, unlocked_repo

        stage.save_deps()
        run = rwlocked(read=["deps"], write=["outs"])(unlocked_repo(lambda _: action()))
        try:
            run(stage)
        except LockError as busy:
            raise MissingError(str(busy).partition("\n\n")[0], where=stage.name, fix="wait for it") from busy
        self._save(stage)

    def _save(self, stage: Any) -> None:
        stage.save()
        stage.commit()
        self._dump(stage)

    def _dump(self, stage: Any) -> None:
        """Write dvc.lock as DVC would, but whole: DVC rewrites it in place, and a kill tears it."""
        from dvc.stage.serialize import to_lockfile
        from dvc.utils.serialize import dumps_yaml, parse_yaml_for_update

        path = Path(stage.dvcfile.path).with_name("dvc.lock")
        content = parse_yaml_for_update(path.read_text("utf-8"), str(path)) if path.exists() else {}
        if not content:
            content.update({"schema": "2.0"})
        content["stages"] = content.get("stages", {})
        content["stages"].update(to_lockfile(stage))
        _replace(path, dumps_yaml(content))
        self._locks.pop(path.parent.name, None)


@contextmanager
def store(root: Path) -> Iterator[Store]:
    """Open a workspace's store, mended where a killed process left it torn.

    Raises:
        MissingError: another DVC command works in this workspace.
    """
    quiet()
    from dvc.lock import LockError
    from dvc.repo import Repo, lock_repo

    with Repo(str(root)) as repo:
        try:
            repo.stage_cache = _run_cache(repo)
            with lock_repo(repo), repo.scm_context:
                yield Store(root, repo)
        except LockError as busy:
            raise MissingError("another DVC command works here", where=str(root), fix="wait for it") from busy


def mend(root: Path, written: Sequence[str] = ()) -> tuple[str, ...]:
    """Repair what `kill -9` leaves behind, under the workspace's lock, and return what was done, as lines.

    Args:
        root: The workspace.
        written: Globs of the folders in which files may lie that were not written to their end.
    """
    _sweep((root / ".mlspec" / "tmp").glob("*"), _PID_OF_FOLDER)
    _sweep((file for folder in written for file in root.glob(f"{folder}/.*.tmp")), _PID_OF_FILE)
    return (*_mend_rwlock(root / ".dvc" / "tmp"), *_mend_locks(root))


def dvc_yaml(plan: Plan, pipeline: str) -> str:
    """Return the text of a pipeline's dvc.yaml, made from a structure and never from strings."""
    import yaml

    stages = {step.name: stage_of(step) for step in plan.steps if step.pipeline == pipeline}
    content: dict[str, Any] = {"stages": stages}
    if pipeline == plan.name:
        content["stages"] = {"plan": stage_of(plan.guard)} | stages
        scored = [step for step in plan.steps if step.kind == "evaluate"]
        content["metrics"] = [f"{WDIR}/{step.output}/metrics.json" for step in scored]
        content["plots"] = [entry for step in scored for entry in plots(plan, step, WDIR)]
    return "# Written by `mlspec plan --write` and `mlspec run`; change the spec, not this.\n" + str(
        yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=4096)
    )


def stage_of(step: Step) -> dict[str, Any]:
    """Return a step as an entry of dvc.yaml. Its command is part of DVC's keys: it never changes."""
    for path in step.dependencies:
        if "${" in path or any(ord(char) < 32 for char in path):
            raise PlanError(f"DVC cannot watch a file named '{path}'", where=step.name, fix="rename the file")
    entry: dict[str, Any] = {"cmd": f"mlspec step {step.pipeline} {step.name}", "wdir": WDIR}
    dependencies = list(step.dependencies)
    if step.name == "train":
        dependencies = sorted({*dependencies, f"artifacts/{step.pipeline}/plan/passed"})
    if dependencies:
        entry["deps"] = dependencies
    entry["params"] = [{f"pipelines/{step.pipeline}/plan.yaml": [step.name]}]
    if step.always:
        entry["always_changed"] = True
    entry["outs"] = [step.output]
    return entry


def _run_cache(repo: Any) -> Any:
    """Return DVC's run cache, freed from the folder that the process happens to be in."""
    from dvc.stage import PipelineStage, create_stage
    from dvc.stage.cache import StageCache
    from dvc.stage.loader import StageLoader

    class RunCache(StageCache):  # type: ignore[misc]
        def _create_stage(self, cache: dict[str, Any], wdir: str | None = None) -> Any:
            stage = create_stage(
                PipelineStage,
                repo=self.repo,
                path=str(Path(self.repo.root_dir) / "dvc.yaml"),
                cmd=cache["cmd"],
                wdir=wdir,
                outs=[str(Path(self.repo.root_dir) / out["path"]) for out in cache["outs"]],
            )
            StageLoader.fill_from_lock(stage, cache)
            return stage

    return RunCache(repo)


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with open(temporary, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _read_lock(path: Path) -> dict[str, Any]:
    import yaml

    from mlspec.run._lock_loader import LockLoader

    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    try:
        content = yaml.load(text, Loader=LockLoader)
    except yaml.YAMLError as fault:
        raise StepError(
            f"'pipelines/{path.parent.name}/dvc.lock' cannot be read",
            where=str(path),
            fix="`mlspec run` mends it",
        ) from fault
    stages: dict[str, Any] = (content or {}).get("stages") or {}
    return stages


def _mend_rwlock(folder: Path) -> Iterator[str]:
    """Remove an unreadable rwlock, and entries of processes that are gone."""
    path = folder / "rwlock"
    if not path.exists():
        return
    import psutil
    from dvc.lock import LockError, make_lock

    held = make_lock(str(folder / "rwlock.lock"), tmp_dir=str(folder))
    try:
        held.lock()
    except LockError:
        return  # a living process is writing it
    try:
        content = json.loads(path.read_text("utf-8"))
        alive = _alive(content, psutil.pid_exists)
        if alive != content:
            _replace(path, json.dumps(alive))
            yield "removed locks of processes that were killed"
    except (ValueError, AttributeError, KeyError, TypeError):
        path.unlink()
        yield "removed a lock file that a killed process left torn"
    finally:
        held.unlock()


def _alive(content: dict[str, Any], exists: Callable[[int], bool]) -> dict[str, Any]:
    # This process holds nothing yet: an entry with its id is of an older process with the same one.
    def living(info: dict[str, Any]) -> bool:
        return bool(info["pid"] != os.getpid() and exists(info["pid"]))

    write = {path: info for path, info in content.get("write", {}).items() if living(info)}
    read = {path: [info for info in infos if living(info)] for path, infos in content.get("read", {}).items()}
    kept = {"write": write, "read": {path: infos for path, infos in read.items() if infos}}
    return {mode: kept[mode] for mode in content if mode in kept}


def _mend_locks(root: Path) -> Iterator[str]:
    """Remove a dvc.lock that a killed `dvc repro` left torn: the run cache restores what it said."""
    import yaml

    for path in sorted((root / "pipelines").glob("*/dvc.lock")):
        try:
            _check_lock(path)
        except (yaml.YAMLError, UnicodeDecodeError, ValueError):
            path.unlink()
            yield f"removed {path.relative_to(root)}, torn by a killed process: DVC's cache has what it said"


def _check_lock(path: Path) -> None:
    import yaml

    text = path.read_text("utf-8")
    content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    if not text.endswith("\n") or not isinstance(content, dict) or "schema" not in content:
        raise ValueError(path)
    for entry in (content.get("stages") or {}).values():
        if not isinstance(entry, dict) or "cmd" not in entry or not isinstance(entry.get("outs"), list):
            raise ValueError(path)


def _sweep(found: Iterable[Path], pid_of: re.Pattern[str]) -> None:
    """Remove what killed processes left half made; what a living one is at is left alone."""
    import psutil

    for left in sorted(found):
        named = pid_of.search(left.name)
        if named is None:
            continue
        pid = int(named[1])
        if pid != os.getpid() and psutil.pid_exists(pid):
            continue
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)
