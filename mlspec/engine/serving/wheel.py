"""A wheel of the parts of mlspec that serve: no compose, no plan, no training; the same bytes each time."""

from __future__ import annotations

import ast
import base64
import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from importlib import metadata, util
from pathlib import Path

from mlspec import __version__
from mlspec.engine.files import write_bytes
from mlspec.errors import MissingError

ROOTS = ("mlspec.engine.serving.service", "mlspec.engine.watching.drift", "mlspec.plugins.monitor.whylogs")
"""What a package's service imports; what these import follows."""
BASE = ("numpy", "pyarrow", "pydantic")
"""Libraries of the base install that serving needs."""
EXTRA = ("tzdata>=2025.1",)
"""Rules of time zones, which slim images do not have."""
NAME = "mlspec_serve"


def wheel(folder: Path) -> Path:
    """Write the wheel into a folder and return its path.

    Entries are sorted, not compressed, and carry one fixed time: no zlib and no clock shows in the bytes.

    Raises:
        MissingError: a module of mlspec cannot be found.
    """
    files = {_place(name): _source(name) for name in modules()}
    info = f"{NAME}-{__version__}.dist-info"
    files[f"{info}/METADATA"] = _metadata().encode()
    files[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: mlspec\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = "".join(f"{name},{_digest(content)},{len(content)}\n" for name, content in sorted(files.items()))
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(files.items(), key=lambda item: (".dist-info/" in item[0], item[0])):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o100644 << 16
            entry.create_system = 3
            archive.writestr(entry, content)
    path = folder / f"{NAME}-{__version__}-py3-none-any.whl"
    write_bytes(path, packed.getvalue())
    return path


def modules() -> tuple[str, ...]:
    """Return the modules that the wheel holds: the roots, and whatever they import of mlspec, sorted."""
    waiting, found = [*ROOTS], set[str]()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            parents = [name.rsplit(".", depth)[0] for depth in range(1, name.count(".") + 1)]
            waiting += [parent for parent in parents if _file(parent) is not None]
            waiting += _imports(ast.parse(_source(name)), name.rpartition(".")[0])
    return tuple(sorted(found))


def requirements() -> tuple[str, ...]:
    """Return what the wheel needs: the `serve` extra and what serving uses of the base install, sorted.

    Raises:
        MissingError: mlspec itself is not installed, so that nothing tells its requirements.
    """
    try:
        stated = metadata.requires("mlspec") or []
    except metadata.PackageNotFoundError as error:
        raise MissingError("mlspec is not installed", fix="pip install -e '.[serve]'") from error
    chosen = set(EXTRA)
    for line in stated:
        requirement, _, marker = (part.strip() for part in line.partition(";"))
        name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower()
        if re.fullmatch(r"""extra\s*==\s*['"]serve['"]""", marker) or (not marker and name in BASE):
            chosen.add(requirement)
    return tuple(sorted(chosen))


def _metadata() -> str:
    lines = [
        "Metadata-Version: 2.1",
        "Name: mlspec-serve",
        f"Version: {__version__}",
        "Summary: The parts of mlspec that serve a packed model",
        "License: Apache-2.0",
        "Requires-Python: >=3.11,<3.13",
        *(f"Requires-Dist: {line}" for line in requirements()),
    ]
    return "\n".join(lines) + "\n"


def _digest(content: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _file(name: str) -> Path | None:
    try:
        spec = util.find_spec(name)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec is not None and spec.origin is not None else None


def _source(name: str) -> bytes:
    file = _file(name)
    if file is None:
        raise MissingError(
            f"the module '{name}' is missing from this installation of mlspec", fix="install it again"
        )
    return file.read_bytes()


def _place(name: str) -> str:
    file = _file(name)
    package = file is not None and file.name == "__init__.py"
    return name.replace(".", "/") + ("/__init__.py" if package else ".py")


def _imports(tree: ast.AST, package: str) -> Iterator[str]:
    """Yield the modules of mlspec that a module imports, anywhere but under `TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (item.name for item in node.names if item.name.split(".")[0] == "mlspec")
        elif isinstance(node, ast.ImportFrom):
            name = f"{package}.{node.module}" if node.level else str(node.module)
            if name.split(".")[0] == "mlspec":
                yield name
                inner = (f"{name}.{item.name}" for item in node.names)
                yield from (module for module in inner if _file(module) is not None)
        yield from _imports(node, package)
