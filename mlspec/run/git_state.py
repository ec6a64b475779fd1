"""Which commit a plan is worked at, and which of its files are not as that commit has them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mlspec.errors import MissingError
from mlspec.plan.plan import Plan
from mlspec.run.at_revision import BESIDE
from mlspec.run.git import git
from mlspec.run.record import GitRecord


def git_state(plan: Plan, workspace: Path) -> GitRecord:
    """Return the commit, and the files of a plan that differ from it: the spec, overlays, presets, plug-ins,
    the contract, and data that git keeps.

    Generated files are not looked at, and data outside git is known by the manifest's fingerprint. No filter
    and no hook of the repository is run.
    """
    try:
        head = git(workspace, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        if head is None:
            return GitRecord()
        revision = head.decode().strip()
        listed = git(workspace, "ls-tree", "-r", "-z", revision, "--", ".") or b""
    except MissingError:
        return GitRecord()
    kept = {}
    for entry in listed.split(b"\0")[:-1]:
        described, _, name = entry.partition(b"\t")
        kept[name.decode("utf-8", "surrogateescape")] = described.split()[2].decode()
    named = {path for step in plan.steps for path in step.dependencies if not path.startswith("artifacts/")}
    folders = tuple(f"{path}/" for path in named if (workspace / path).is_dir())
    named = {path for path in named if f"{path}/" not in folders} | {
        path for path in kept if path.startswith(folders)
    }
    changed = sorted(
        path
        for path in {*plan.files, *named}
        if _differs(workspace / path, kept.get(path), path in plan.files or path.startswith(_OWN))
    )
    return GitRecord(revision=revision, changed=tuple(changed), dirty=bool(changed))


_OWN = tuple(f"{folder}/" for folder in BESIDE)


def _differs(file: Path, blob: str | None, ours: bool) -> bool:
    if blob is None:
        return ours and file.is_file()
    try:
        size = file.stat().st_size
        # A repository names its blobs by SHA-1 or by SHA-256.
        digest = hashlib.new("sha1" if len(blob) == 40 else "sha256", b"blob %d\0" % size)
        with open(file, "rb") as content:
            while block := content.read(1 << 20):
                digest.update(block)
    except OSError:
        return True
    return digest.hexdigest() != blob
