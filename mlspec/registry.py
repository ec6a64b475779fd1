"""From the word right of `kind:` to the class in the file of that name."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlspec.errors import MissingError, UsageError

if TYPE_CHECKING:
    from importlib import metadata

SLOTS = (
    "source", "feature", "split", "rule", "model", "loss", "optimizer", "schedule", "calibration", "metric",
    "gate", "strategy", "launcher", "export", "deployment", "monitor",
)  # fmt: skip
KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")


def attach(workspace: Path) -> None:
    """Make the plug-ins of a workspace findable, if the user trusts them; those of another workspace are
    forgotten.

    An untrusted workspace's kinds are known by name and refused where a spec names one: nothing of them is
    imported.

    Raises:
        UsageError: a plug-in of the workspace has the name of a shipped one.
    """
    from mlspec import plugins

    folder = workspace.resolve() / "plugins"
    _untrusted.clear()
    if os.environ.get(plugins.VARIABLE) != str(folder):
        plugins.leave()
    shipped = [Path(entry) for entry in plugins.__path__ if entry != str(folder)]
    if not folder.is_dir() or any(entry.is_dir() and entry.samefile(folder) for entry in shipped):
        plugins.leave()
        return
    _refuse_shadows(folder, shipped)
    from mlspec.trust import is_trusted

    if not is_trusted(folder):
        plugins.leave()
        _untrusted.append(folder)
    elif os.environ.get(plugins.VARIABLE) != str(folder):
        plugins.join(folder)


_untrusted: list[Path] = []
"""The attached workspace's folder, while nobody trusts it. It belongs to the package path that `attach`
changes.
"""


def _refuse_shadows(folder: Path, shipped: list[Path]) -> None:
    for slot in SLOTS:
        for own in sorted((folder / slot).glob("*.py")):
            if any((entry / slot / own.name).is_file() for entry in shipped):
                what = f"the workspace's 'plugins/{slot}/{own.name}' has the name of a shipped one"
                raise UsageError(
                    what, where=f"plugins/{slot}/{own.name}", fix="rename the file and its class"
                )


def _folders(slot: str) -> tuple[Path, ...]:
    from mlspec import plugins

    return tuple(Path(entry) / slot for entry in plugins.__path__)


def kinds(slot: str) -> tuple[str, ...]:
    """Return every kind that fills a slot, sorted: shipped, the workspace's own, and installed ones."""
    folders = (*_folders(slot), *(folder / slot for folder in _untrusted))
    found = {file.stem for folder in folders for file in folder.glob("*.py") if KIND.fullmatch(file.stem)}
    found.update(name for name in _installed().get(slot, {}) if KIND.fullmatch(name))
    return tuple(sorted(found))


@functools.cache
def _installed() -> Mapping[str, Mapping[str, metadata.EntryPoint]]:
    """Return the entry points of each slot; asked only for kinds that no file has, for it reads every
    package's list.
    """
    from importlib import metadata

    found: dict[str, dict[str, metadata.EntryPoint]] = {}
    for entry in (entry for package in metadata.distributions() for entry in package.entry_points):
        group, _, slot = entry.group.partition(".")
        if group == "mlspec" and slot in SLOTS:
            found.setdefault(slot, {})[entry.name] = entry
    return found


def file(slot: str, kind: str) -> Path | None:
    """Return the file that defines a kind, or None where an installed entry point does."""
    from mlspec import plugins

    for entry in plugins.__path__:
        # Asked once for each column of a wide table: a plain text is far cheaper than a Path.
        path = f"{entry}{os.sep}{slot}{os.sep}{kind}.py"
        if os.path.isfile(path):  # noqa: PTH113
            return Path(path)
    return None


def exists(slot: str, kind: str) -> bool:
    """Return whether a slot has a kind of that name, trusted or not."""
    if slot not in SLOTS or not KIND.fullmatch(kind):
        return False
    if file(slot, kind) is not None or kind in _installed().get(slot, {}):
        return True
    return any((folder / slot / f"{kind}.py").is_file() for folder in _untrusted)


def find(slot: str, kind: str) -> type[Any]:
    """Return the plug-in class of a kind.

    Raises:
        UsageError: no such slot, or no such kind in it.
        MissingError: the plug-in is not trusted, cannot be imported, or holds no class of its name.
    """
    if not exists(slot, kind):
        raise UsageError(
            f"no {slot} is called '{kind}'",
            fix=f"one of {', '.join(kinds(slot)) if slot in SLOTS else SLOTS}",
        )
    if file(slot, kind) is None:
        for folder in _untrusted:
            if (folder / slot / f"{kind}.py").is_file():
                what = f"the workspace's plug-in 'plugins/{slot}/{kind}.py' is not trusted"
                raise MissingError(
                    what, where=f"{slot} '{kind}'", fix="read the code in plugins/, then run `mlspec trust`"
                )
        installed: type[Any] = _loaded(slot, kind, lambda: _installed()[slot][kind].load())
        return installed
    module = _loaded(slot, kind, lambda: import_module(f"mlspec.plugins.{slot}.{kind}"))
    name = "".join(word.capitalize() for word in kind.split("_"))
    found = getattr(module, name, None)
    if not isinstance(found, type):
        raise MissingError(
            f"the plug-in '{slot}/{kind}.py' defines no class '{name}'", fix=f"name its class {name}"
        )
    return found


def _loaded(slot: str, kind: str, load: Callable[[], Any]) -> Any:
    try:
        return load()
    except Exception as error:
        what = f"the plug-in '{slot}/{kind}' cannot be imported: {type(error).__name__}: {error}"
        raise MissingError(
            what, where=f"{slot} '{kind}'", fix="mend it, or install what it imports"
        ) from error
