"""Lightning without its advertisements."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what Lightning says of itself; its errors and everyone else's warnings stay."""
    import pytorch_lightning  # noqa: F401 - sets its own loggers' levels when it is imported

    loggers = [logging.getLogger(name) for name in ("pytorch_lightning", "lightning_fabric")]
    names = [
        name
        for name in logging.root.manager.loggerDict
        if name.startswith(("pytorch_lightning.", "lightning_fabric."))
    ]
    loggers += [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"(pytorch_lightning|lightning_fabric)(\.|$)")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
