"""Marks and types that fields of a spec carry."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import core_schema

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
"""A name that becomes a folder: small letters, digits and underscores."""

Column = Annotated[str, StringConstraints(min_length=1, max_length=512)]
"""A column's name, as the data has it."""


@dataclass(frozen=True)
class NoEffect:
    """Mark of a field that changes no result: ports, log paths, intervals. It is no step's parameter."""


@dataclass(frozen=True)
class InputPath:
    """Mark of a text that names a file to read; the plan makes it relative to the workspace."""


@dataclass(frozen=True)
class KindOf:
    """Mark of a text that names a kind of some slot, so that editors offer them."""

    slot: str


Path = Annotated[str, InputPath(), StringConstraints(min_length=1)]
"""A file, folder or URL to read. Relative paths start at the spec's folder."""


def check_no_credentials(path: str) -> str:
    """Return a path or a URL of files, if there is no place for a password in it.

    Raises:
        ValueError: there may be one. The message does not repeat it.
    """
    place = path.partition("://")[2]
    if "@" in place.partition("/")[0] or "::" in path:
        raise ValueError("expected a URL without credentials: they come from the environment")
    return path


_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: str) -> float:
    """Return the seconds of a duration such as `90s`, `5m`, `1h`.

    Raises:
        ValueError: the text is no duration.

    Example:
        >>> seconds("5m")
        300.0
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", text)
    if match is None:
        raise ValueError("expected a duration such as 90s, 5m, 1h or 2d")
    return float(match[1]) * _UNITS[match[2]]


def _check_duration(text: str) -> str:
    seconds(text)
    return text


Duration = Annotated[
    str,
    AfterValidator(_check_duration),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m|h|d)$"}),
]
"""A span of time: a number and ms, s, m, h or d."""


@dataclass(frozen=True)
class IsSecret:
    """Mark of a text that is a secret: never written out, shown or logged."""

    harmless: Callable[[str], bool] | None = None
    """Tells a text that holds no secret after all, and may be written out."""


_VARIABLE = re.compile(r"\$\{oc\.env:([A-Za-z_][A-Za-z0-9_]*)\}")


def variable(secret: str) -> str:
    """Return the environment variable that holds a secret.

    Raises:
        ValueError: the text is no `${oc.env:NAME}`. The message does not repeat it: it may be the secret.

    Example:
        >>> variable("${oc.env:API_TOKEN}")
        'API_TOKEN'
    """
    match = _VARIABLE.fullmatch(secret)
    if match is None:
        raise ValueError("expected ${oc.env:NAME}, the environment variable that holds it")
    return match[1]


def _check_secret(text: str) -> str:
    variable(text)
    return text


Secret = Annotated[
    str,
    IsSecret(),
    AfterValidator(_check_secret),
    WithJsonSchema({"type": "string", "pattern": f"^{_VARIABLE.pattern}$"}),
]
"""A secret: only ever `${oc.env:NAME}`, looked up where it is used and nowhere before."""

_HARMLESS_OPTION = (
    r"(sslmode|sslrootcert|connect_timeout|application_name|warehouse|role|location)=[A-Za-z0-9_./~-]*"
)
_HARMLESS_URL = re.compile(
    r"[a-z][a-z0-9+]*://([A-Za-z0-9_.~-]+@)?[A-Za-z0-9_.~-]*(:[0-9]+)?(/[A-Za-z0-9_.~-]*){0,8}"
    rf"([?]{_HARMLESS_OPTION}(&{_HARMLESS_OPTION})*)?"
)


def harmless_url(text: str) -> bool:
    """Return whether a URL holds no password, nor anything that may be one.

    Example:
        >>> harmless_url("postgresql://reader@db:5432/shop"), harmless_url("postgresql://reader:x@db/shop")
        (True, False)
    """
    return _HARMLESS_URL.fullmatch(text) is not None


def _check_url(text: str) -> str:
    if not harmless_url(text):
        try:
            variable(text)
        except ValueError:
            raise ValueError("expected ${oc.env:NAME}, or a URL without a password") from None
    return text


SERVER_URL = f"^({_VARIABLE.pattern}|{_HARMLESS_URL.pattern})$"
"""What a server's URL looks like in the schema."""
ServerUrl = Annotated[
    str,
    IsSecret(harmless_url),
    AfterValidator(_check_url),
    WithJsonSchema({"type": "string", "pattern": SERVER_URL}),
]
"""A server's URL: `${oc.env:NAME}`, or written out if it holds no password."""

_BYTES = {
    "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
_SIZE = r"^[0-9]+(\.[0-9]+)?([kKMGT]?B|[KMGT]iB)$"


def size(text: str) -> int:
    """Return the bytes of a size such as `2GB` (1000 to a step) or `512KiB` (1024 to a step).

    Raises:
        ValueError: the text is no size, or no whole number of bytes.

    Example:
        >>> size("8MB"), size("1.5KiB")
        (8000000, 1536)
    """
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)([kKMGT]?B|[KMGT]iB)", text)
    if match is None:
        raise ValueError("expected a size such as 8MB, 512KiB or 2GB")
    found = Fraction(match[1]) * _BYTES[match[2]]
    if found.denominator != 1:
        raise ValueError("expected a size of whole bytes, such as 8MB, 512KiB or 2GB")
    return int(found)


def size_text(count: int) -> str:
    """Return bytes as a user writes them.

    Example:
        >>> size_text(4_000_000_000), size_text(1_500_000_000), size_text(1536)
        ('4GB', '1500MB', '1536B')
    """
    for unit in ("TB", "GB", "MB"):
        if count and count % _BYTES[unit] == 0:
            return f"{count // _BYTES[unit]}{unit}"
    return f"{count}B"


@dataclass(frozen=True)
class Sized:
    """Annotation `Annotated[int, Sized("1KiB", "1GiB")]`: bytes as a whole number, or a text such as `8MB`.

    Either way the value is the number of bytes, so that two ways to write one size are one parameter.
    """

    smallest: str
    largest: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        inner = core_schema.no_info_after_validator_function(self._check, handler(source))
        return core_schema.no_info_before_validator_function(_bytes, inner)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        number = {"type": "integer", "minimum": size(self.smallest), "maximum": size(self.largest)}
        return {"anyOf": [number, {"type": "string", "pattern": _SIZE}]}

    def _check(self, value: int) -> int:
        if not size(self.smallest) <= value <= size(self.largest):
            raise ValueError(f"expected a size from {self.smallest} to {self.largest}")
        return value


def _bytes(value: Any) -> Any:
    return size(value) if isinstance(value, str) else value


def parameters(value: Any) -> Any:
    """Return plain data of a spec value (texts, numbers, booleans, None, lists, mappings), without what has
    no effect.

    Field order is that of the class; `Frozen.revive` is the way back, with defaults for what was left out.
    """
    if isinstance(value, BaseModel):
        return {
            name: parameters(getattr(value, name))
            for name, field in type(value).model_fields.items()
            if not any(isinstance(mark, NoEffect) for mark in field.metadata)
        }
    if isinstance(value, Mapping):
        return {str(key): parameters(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [parameters(item) for item in value]
    return value
