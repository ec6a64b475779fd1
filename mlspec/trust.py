"""Whether a workspace's plug-ins may be loaded: they are code, and code is trusted by its content."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from mlspec.errors import MissingError, UsageError

VARIABLE = "MLSPEC_TRUST"
"""Set to `1`, it trusts every workspace."""


def trust_file() -> Path:
    """Return the file, outside every repository, that holds the digests of what the user trusts."""
    home = os.environ.get("XDG_CONFIG_HOME")
    folder = Path(home) if home else Path.home() / ".config"
    return folder / "mlspec" / "trust.json"


def digest(plugins: Path) -> str:
    """Return the SHA-256 of a folder's files: names and content, without Python's caches.

    Raises:
        UsageError: the folder holds a link, behind which content could change unseen.
    """
    total = hashlib.sha256()
    for folder, names, files in os.walk(plugins):
        names[:] = sorted(name for name in names if name != "__pycache__")
        for name in (*names, *sorted(files)):
            path = Path(folder) / name
            if path.is_symlink():
                raise UsageError(
                    f"'{path.relative_to(plugins.parent)}' is a link",
                    fix="copy what it points at: links cannot be trusted",
                )
        for name in sorted(files):
            path = Path(folder) / name
            content = path.read_bytes()
            total.update(f"{path.relative_to(plugins).as_posix()}\0{len(content)}\0".encode())
            total.update(content)
    return total.hexdigest()


def is_trusted(plugins: Path) -> bool:
    """Return whether the user trusts what a folder of plug-ins holds now."""
    if os.environ.get(VARIABLE) == "1":
        return True
    known = _known()
    try:
        return bool(known) and digest(plugins) in known
    except UsageError:
        return False


def trust(plugins: Path) -> str:
    """Record that a folder of plug-ins is trusted as it is now, and return its digest."""
    found, file = digest(plugins), trust_file()
    known = _known() | {found: str(plugins.resolve())}
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    temporary.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", "utf-8")
    temporary.chmod(0o600)
    temporary.replace(file)
    return found


def distrust(plugins: Path) -> bool:
    """Forget every digest recorded for a folder, and return whether there was one."""
    known, here = _known(), str(plugins.resolve())
    left = {found: path for found, path in known.items() if path != here}
    if left != known:
        trust_file().write_text(json.dumps(left, indent=2, sort_keys=True) + "\n", "utf-8")
    return left != known


def _known() -> dict[str, str]:
    file = trust_file()
    try:
        known = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise MissingError(
            f"cannot read the list of trusted plug-ins: {error}",
            where=str(file),
            fix="remove the file and trust again",
        ) from error
    return {str(key): str(value) for key, value in known.items()} if isinstance(known, dict) else {}
