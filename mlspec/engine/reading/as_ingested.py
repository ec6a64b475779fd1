"""Whether later steps read the very rows that `ingest` told of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlspec.errors import StepError
from mlspec.sdk.context import Context
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot
from mlspec.sdk.source import Source


def as_ingested(
    data: Mapping[str, Any],
    manifest: Mapping[str, Any],
    context: Context,
    found: Mapping[str, Any] | None = None,
) -> None:
    """Refuse a source that is not what the manifest tells of any more; to be asked when it was read.

    Args:
        data: The `data` section.
        manifest: Of `ingest`.
        context: Where relative paths start.
        found: The fingerprint of what was read, where it is known; else the source is asked again.

    Raises:
        StepError: it changed meanwhile. What is made of it would be taken for the work of other data.
    """
    source: Source = Slot("source").choose(freeze(data["source"]))  # type: ignore[assignment]
    if found is None or source.keeps is not None:
        moved = source.moved(manifest["fingerprint"], context)
    else:
        moved = found != manifest["fingerprint"]
    if moved:
        raise StepError(
            "the source changed since 'ingest' read it",
            where=context.step,
            fix="run again when nobody writes there",
        )
