"""The folders in which presets lie, each file read once."""

from __future__ import annotations

from pathlib import Path

from mlspec.compose.document import Document
from mlspec.compose.reader import read
from mlspec.errors import Fault


def shipped() -> Path:
    """Return the folder of the presets that come with mlspec: in a wheel beside the code, else in the
    checkout.
    """
    package = Path(__file__).resolve().parents[1]
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


class PresetFiles:
    """Presets by name (`hardware/cpu`): the workspace's own first, then the shipped ones."""

    def __init__(self, workspace: Path) -> None:
        self._shipped = shipped()
        own = workspace / "conf"
        same = own.is_dir() and self._shipped.is_dir() and own.samefile(self._shipped)
        self._folders = (self._shipped,) if same else (own, self._shipped)
        self._read: dict[str, Document | None] = {}
        self.faults: list[Fault] = []

    def document(self, name: str) -> Document | None:
        """Return a preset, or None where there is none of that name."""
        if name not in self._read:
            self._read[name] = self._open(name)
        return self._read[name]

    def _open(self, name: str) -> Document | None:
        for folder in self._folders:
            file = folder / f"{name}.yaml"
            if file.is_file():
                shown = f"conf/{name}.yaml" if folder is not self._shipped else f"mlspec:conf/{name}.yaml"
                try:
                    text = file.read_text("utf-8-sig")
                except (OSError, UnicodeDecodeError) as error:
                    document = Document(shown, "", file=file)
                    self.faults.append(
                        document.fault("MS0102", f"cannot read the preset '{name}': {error}", 1, 1)
                    )
                    return document
                document, faults = read(shown, text, file)
                self.faults.extend(faults)
                return document
        return None

    def is_group(self, name: str) -> bool:
        """Return whether there is a folder of presets of that name."""
        return any((folder / name).is_dir() for folder in self._folders)

    def options(self, group: str) -> tuple[str, ...]:
        """Return the presets of a group, sorted."""
        found = {file.stem for folder in self._folders for file in (folder / group).glob("*.yaml")}
        return tuple(sorted(found))

    def groups(self) -> tuple[str, ...]:
        """Return the groups there are, sorted."""
        return tuple(
            sorted(
                {
                    item.name
                    for folder in self._folders
                    if folder.is_dir()
                    for item in folder.iterdir()
                    if item.is_dir()
                }
            )
        )
