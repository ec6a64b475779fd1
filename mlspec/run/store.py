"""DVC, in process: the one file that calls into it (docs/decisions/0002 has its weaknesses)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlspec.engine.files import write_bytes
from mlspec.errors import MissingError, PlanError, StepError
from mlspec.plan.plan import Plan, Step
from mlspec.plan.plots import plots
from mlspec.run.merged import merged
from mlspec.run.seal import sealed
from mlspec.run.workspace import quiet

WDIR = "../.."


class Store:
    """What DVC knows of a workspace; opened by `store()`."""

    def __init__(self, root: Path, repo: Any, steps: tuple[Step, ...], say: Callable[[str], None]) -> None:
        self.root, self._repo, self._steps, self._say = root, repo, steps, say
        self._locks: dict[str, dict[str, Any]] = {}
        self._deaf = False

    @property
    def remote(self) -> str | None:
        """Return the name of the remote that is asked for what is not here."""
        name = self._repo.config["core"].get("remote")
        return None if name is None else str(name)

    def recorded(self, step: Step) -> Mapping[str, Any]:
        """Return what dvc.lock says of a step; empty where it says nothing."""
        if step.pipeline not in self._locks:
            self._locks[step.pipeline] = _read_lock(
                self.root / "pipelines" / step.pipeline / "dvc.lock", self._steps
            )
        found: Mapping[str, Any] = self._locks[step.pipeline].get(step.name, {})
        return found

    def sealed(self, step: Step) -> bool:
        """Return whether a step's folder was made of what dvc.lock says of it."""
        return sealed(step, self.recorded(step), self.root / step.output)

    def stage(self, step: Step) -> Any:
        """Return DVC's own value of a step, with what dvc.lock recorded of it."""
        return self._load(step, dict(self.recorded(step)))

    def _load(self, step: Step, recorded: dict[str, Any]) -> Any:
        from dvc.dvcfile import ProjectFile
        from dvc.stage.loader import StageLoader

        file = ProjectFile(self._repo, str(self.root / "pipelines" / step.pipeline / "dvc.yaml"))
        return StageLoader.load_stage(file, step.name, stage_of(step), recorded)

    def changes(self, paths: list[Any]) -> dict[str, str]:
        """Return which of some dependencies or outputs are `modified`, `deleted` or `not in cache`."""
        found: dict[str, str] = {}
        for path in paths:
            for state in path.status().values():
                found[path.def_path] = str(state)
        return found

    def whole(self, stage: Any) -> bool:
        """Return whether what a stage writes lies there as dvc.lock has it."""
        return all(out.hash_info for out in stage.outs) and not self.changes(stage.outs)

    def restore(self, step: Step) -> bool:
        """Bring a step's folder back if this very work was done before; say whether it was."""
        for pull in (False, True):
            if pull and not self._answers():
                continue
            # A value of its own, without what the lock says of other work: once DVC has looked at what a
            # stage reads, it takes the folder that was recorded for the result of that.
            stage = self._load(step, {})
            if self._restore(stage, pull) and _made_of_this(step, stage, self.root):
                self._save(stage)
                return True
        return False

    def bring(self, step: Step) -> bool:
        """Bring a step's folder back as dvc.lock names it; say whether it could be brought.

        What the step reads need not be here, and nothing is written down: the lock says it already.
        """
        stage = self.stage(step)
        if not all(out.hash_info for out in stage.outs):
            return False
        if not stage.outs_cached():
            self._fetch(stage)
            if not stage.outs_cached():
                return False
        stage.checkout(force=True)
        if not self.sealed(step):
            return False
        if all(dep.exists for dep in stage.deps):
            self._save(stage)  # for DVC's run cache: an old value comes back from there
        return True

    def _fetch(self, stage: Any) -> None:
        from dvc.exceptions import CollectCacheError

        if not self._answers():
            return
        try:
            # The list of a folder's files first: where it is not to be had, DVC says nothing of it.
            self._repo.cloud.pull([out.hash_info for out in stage.outs])
            for objects in stage.get_used_objs().values():
                self._repo.cloud.pull(objects)
        except CollectCacheError:
            return  # the remote does not have it
        except Exception as fault:  # noqa: BLE001 - each sort of remote has errors of its own
            self._gave_up(fault)

    def _answers(self) -> bool:
        return self.remote is not None and not self._deaf

    def _gave_up(self, fault: Exception) -> None:
        """Say once why a remote gives nothing, and ask it no more: each attempt may take minutes."""
        self._deaf = True
        first = str(fault).strip().partition("\n")[0] or type(fault).__name__
        self._say(f"the remote '{self.remote}' cannot be asked for what is not here: {first}")

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
            self._gave_up(fault)
            return False  # a remote that is away is no reason not to do the work here
        except Exception as fault:
            if not pull:
                raise
            self._gave_up(fault)
            return False
        return True

    def work(self, stage: Any, action: Callable[[], None]) -> None:
        """Do a stage's work: nobody else may touch its files, and other DVC commands go on.

        Raises:
            MissingError: another DVC command holds these files.
            StepError: a file of the user's changed while the work read it.
        """
        from dvc.lock import LockError
        from dvc.stage.decorators import rwlocked, unlocked_repo

        stage.save_deps()
        run = rwlocked(read=["deps"], write=["outs"])(unlocked_repo(lambda _: action()))
        try:
            run(stage)
        except LockError as busy:
            raise MissingError(str(busy).partition("\n\n")[0], where=stage.name, fix="wait for it") from busy
        # The lock would say of the old work that it was made of the new file.
        for path in self.changes(_of_the_user(stage)):
            raise StepError(
                f"'{path}' changed while '{stage.name}' read it",
                where=stage.name,
                fix="run again when nobody writes there",
            )
        self._save(stage)

    def tidy(self, pipeline: str) -> None:
        """Give dvc.lock the stages of the plan, in its order: as a first run of this plan would write it."""
        from dvc.utils.serialize import dumps_yaml, parse_yaml_for_update

        path = self.root / "pipelines" / pipeline / "dvc.lock"
        names = [step.name for step in self._steps if step.pipeline == pipeline]
        if not path.exists():
            return
        stages = _read_lock(path, self._steps)
        wanted = [name for name in names if name in stages]
        if list(stages) == wanted:
            return
        content = parse_yaml_for_update(path.read_text("utf-8"), str(path))
        kept = {name: content["stages"][name] for name in wanted}
        content["stages"].clear()
        content["stages"].update(kept)
        write_bytes(path, dumps_yaml(content).encode())
        self._locks.pop(pipeline, None)

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
        write_bytes(path, dumps_yaml(content).encode())
        self._locks.pop(path.parent.name, None)


@contextmanager
def store(root: Path, plan: Plan, say: Callable[[str], None] = lambda line: None) -> Iterator[Store]:
    """Open a workspace's store.

    Args:
        root: The workspace.
        plan: Its steps are those that a lock with both sides of a merge is read for.
        say: Told of a remote that cannot be asked.

    Raises:
        MissingError: another DVC command works in this workspace, or its settings cannot be read.
    """
    quiet()
    from dvc.config import ConfigError
    from dvc.lock import LockError
    from dvc.repo import Repo, lock_repo

    try:
        opened = Repo(str(root))
    except ConfigError as fault:
        raise MissingError(
            f"'.dvc/config' cannot be read: {fault}",
            where=str(root),
            fix="mend it by hand (after a merge, take one side of it)",
        ) from fault
    with opened as repo:
        try:
            repo.stage_cache = _run_cache(repo)
            with lock_repo(repo), repo.scm_context:
                yield Store(root, repo, (plan.guard, *plan.steps), say)
        except LockError as busy:
            raise MissingError("another DVC command works here", where=str(root), fix="wait for it") from busy


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


def _made_of_this(step: Step, stage: Any, root: Path) -> bool:
    watched = (dep for dep in stage.deps if not hasattr(dep, "params"))
    read = [{"path": dep.def_path, "md5": dep.hash_info.value} for dep in watched]
    return sealed(step, {"deps": read}, root / step.output)


def _of_the_user(stage: Any) -> list[Any]:
    """Return the files that a stage reads and no step made."""
    watched = (dep for dep in stage.deps if not hasattr(dep, "params"))
    return [dep for dep in watched if not dep.def_path.startswith("artifacts/")]


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


def _read_lock(path: Path, steps: tuple[Step, ...]) -> dict[str, Any]:
    import yaml

    from mlspec.run._lock_loader import LockLoader

    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    try:
        content = yaml.load(text, Loader=LockLoader)
    except yaml.YAMLError as fault:
        both = merged(text, (step for step in steps if step.pipeline == path.parent.name))
        if both is not None:
            return both
        raise StepError(
            f"'pipelines/{path.parent.name}/dvc.lock' cannot be read",
            where=str(path),
            fix="`mlspec run` mends it",
        ) from fault
    stages: dict[str, Any] = (content or {}).get("stages") or {}
    return stages
