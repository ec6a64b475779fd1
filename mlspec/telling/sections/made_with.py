"""Versions and hardware."""

from __future__ import annotations

from mlspec.telling.html import Html, Part, joined
from mlspec.telling.left import Left
from mlspec.telling.table import table


def made_with(left: Left) -> Html:
    """Return what did the work."""
    record = left.record
    machine = record.machine
    rows: list[tuple[Part, ...]] = []
    if machine:
        rows.append(
            (
                "machine",
                f"{machine.get('system')}, {machine.get('cpus')} CPUs, {machine.get('memory_mib')} MiB",
            )
        )
    for step in record.steps:
        if step.hardware:
            told = ", ".join(f"{name} {value}" for name, value in step.hardware.items() if value is not None)
            rows.append((step.step, told))
    if record.git.revision:
        rows.append(("commit", record.git.revision))
    if record.git.dirty:
        rows.append(("changed since", ", ".join(record.git.changed)))
    versions = list(record.versions.items())
    return joined(
        table("Hardware and commit", ("what", "which"), rows) if rows else "",
        table("Versions", ("library", "version"), versions) if versions else "",
    )
