"""The slots' folders: the shipped ones, then a trusted workspace's (`registry` resolves a kind here)."""

import os
import sys
from importlib import invalidate_caches
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType

VARIABLE = "MLSPEC_PLUGINS"
"""Names the workspace's folder for child processes; set only after the folder was found trusted."""

_checkout = Path(__file__).resolve().parents[2] / "plugins"
if (_checkout / "model").is_dir() and not (Path(__file__).parent / "model").is_dir():
    __path__.append(str(_checkout))


class _Text(SourceFileLoader):
    """Compiles the file as it stands: bytecode beside it is nobody's trusted text."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class _Slots(FileFinder):
    """Sees a workspace's slots as more files for the shipped ones, an `__init__.py` in them or not: such a
    file would otherwise hide every shipped kind.
    """

    def find_spec(self, fullname: str, target: object = None) -> ModuleSpec | None:
        place = Path(self.path, fullname.rpartition(".")[2])
        if not place.is_dir():
            return None
        spec = ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = [str(place)]
        return spec


def _hook(path: str) -> FileFinder:
    folder = os.environ.get(VARIABLE)
    if not folder or (path != folder and not path.startswith(folder + os.sep)):
        raise ImportError
    if path == folder:
        return _Slots(path)
    return FileFinder(path, (_Text, [".py"]))


def join(folder: Path) -> None:
    """Make a workspace's folder findable, here and in child processes."""
    leave()
    os.environ[VARIABLE] = str(folder)
    sys.path_hooks.insert(0, _hook)
    __path__.append(str(folder))
    invalidate_caches()


def leave() -> None:
    """Forget the workspace's folder and what was imported from it."""
    folder = os.environ.pop(VARIABLE, None)
    if folder is None:
        return
    inside = folder + os.sep
    __path__[:] = [entry for entry in __path__ if entry != folder]
    sys.path_hooks[:] = [hook for hook in sys.path_hooks if hook is not _hook]
    for path in [path for path in sys.path_importer_cache if path == folder or path.startswith(inside)]:
        del sys.path_importer_cache[path]
    for name, module in [*sys.modules.items()]:
        if name.startswith(__name__ + ".") and str(getattr(module, "__file__", None) or "").startswith(
            inside
        ):
            del sys.modules[name]
            parent, _, last = name.rpartition(".")
            vars(sys.modules[parent]).pop(last, None)


if VARIABLE in os.environ:
    join(Path(os.environ[VARIABLE]))
