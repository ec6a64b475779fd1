"""JSON as its standard has it: no NaN, no key twice, no endless nesting, UTF-8 only."""

from __future__ import annotations

import json
import math
from typing import Any

from mlspec.errors import MlspecError


class NotJson(MlspecError):
    """A body that is not JSON."""


def strict_json(body: bytes) -> Any:
    """Return the value that a body describes; integers too long to be read become infinity, as `1e400` does.

    Raises:
        NotJson: the body is not UTF-8, not JSON, names a key twice, holds NaN or Infinity, or nests too deep.

    Example:
        >>> strict_json(b'{"age": 39}')
        {'age': 39}
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJson(f"the body is not UTF-8 (byte {error.start})") from error
    try:
        return _read(text)
    except json.JSONDecodeError as error:
        raise NotJson(f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise NotJson("the body nests too deep") from error
    except ValueError:  # an integer of thousands of digits
        return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse, parse_int=_whole)


def _read(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise NotJson(f"the key {json.dumps(key)} stands twice in one object")
            seen.add(key)
    return found


def _refuse(name: str) -> Any:
    raise NotJson(f"'{name}' is not JSON", fix="send null for a value that is not known")


def _whole(digits: str) -> float:
    return int(digits) if len(digits) <= 400 else math.copysign(math.inf, -1 if digits[0] == "-" else 1)
