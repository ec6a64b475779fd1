"""`validation:`: what must hold of the data."""

from __future__ import annotations

from typing import Annotated

from mlspec.sdk.fields import Path
from mlspec.sdk.frozen import Section
from mlspec.sdk.rule import Rule
from mlspec.sdk.slot import Slot


class Validation(Section):
    """What must hold of the data before anything is trained."""

    contract: Path | None = None
    """The reviewed file with types, domains and presence; `contracts/<data.name>.yaml` where absent.
    Inferred once when missing, so it is a YAML file inside the workspace.
    """
    rules: tuple[Annotated[Rule, Slot("rule")], ...] = ()
    """Expectations beyond the contract."""
