"""The rows of a source, typed as the door takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis

from mlspec.engine.reading.reading import Reading
from mlspec.sdk.context import Context


def read_table(data: Mapping[str, Any], context: Context) -> ibis.Table:
    """Return a source's readable rows in its order, with `mlspec_row`.

    Args:
        data: The `data` section, or as much of it as is needed to read rows: source, key, weight, ignore,
            event_time, target, features, max_rejects, sample. All but the source may be absent.
        context: Where relative paths start, and where to spill.

    Raises:
        StepError: the source cannot be read, or a column cannot be what the spec says.
        CheckFailed: more rows are unreadable than `max_rejects` allows.
    """
    return Reading.of(data, context).check().table
