"""The URL of a database server, looked up where it is a variable's, and told only where it is no secret."""

from __future__ import annotations

import os
import re
from urllib.parse import parse_qsl, unquote, unquote_plus, urlsplit

from mlspec.errors import MissingError, StepError
from mlspec.sdk.fields import harmless_url, variable

POSTGRES = ("postgresql", "postgres")
"""Schemes of PostgreSQL, whose server has a reader of its own."""


def server_url(text: str) -> str:
    """Return the URL itself.

    Args:
        text: It, or `${oc.env:NAME}`.

    Raises:
        MissingError: the variable is not set.
        StepError: what it holds is no URL.
    """
    name = None
    url = text
    if text.startswith("${"):
        name = variable(text)
        url = os.environ.get(name, "").strip()
        if not url:
            raise MissingError(
                f"the environment variable '{name}' is not set: it holds the URL of the database",
                where="data.source.url",
                fix=f"export {name}=postgresql://user:password@host:5432/database",
            )
    if not re.match(r"[A-Za-z][A-Za-z0-9+]*://", url):
        told = f"what the environment variable '{name}' holds" if name else f"'{text}'"
        raise StepError(
            f"{told} is no URL of a database server",
            where="data.source.url",
            fix="postgresql://user@host:5432/database; a SQLite or DuckDB file is named by path:",
        )
    return url


def scheme_of(url: str) -> str:
    """Return what a URL begins with.

    Example:
        >>> scheme_of("mysql://reader@db/shop")
        'mysql'
    """
    return url.partition("://")[0]


def unreachable(text: str, why: str) -> MissingError:
    """Return the error of a server that does not let us in, which tells no secret.

    Args:
        text: Its URL, or `${oc.env:NAME}`.
        why: In words of which no URL is a part.
    """
    name = text if harmless_url(text) else f"that '{variable(text)}' names"
    return MissingError(
        f"the database {name} cannot be reached: {why}",
        where="data.source.url",
        fix="check the URL, the server and the network from here",
    )


def check_computes(text: str) -> None:
    """Refuse a server that cannot compute what `compute: database` asks.

    Raises:
        MissingError: the variable that holds its URL is not set.
        StepError: it is not PostgreSQL.
    """
    scheme = scheme_of(server_url(text))
    if scheme not in POSTGRES:
        raise StepError(
            f"compute: database is for PostgreSQL, and the database is '{scheme}'",
            where="data.source.compute",
            fix="set compute: here, which reads the rows once and keeps them",
        )


def masked(words: str, url: str) -> str:
    """Return a driver's words on one line without what may be a password."""
    found = re.match(r"[^:]+://[^:@/]*:([^@]*)@", url)
    secrets = {url, *((found[1], unquote(found[1]), unquote_plus(found[1])) if found and found[1] else ())}
    options = urlsplit(url).query
    secrets |= {value for name, value in parse_qsl(options) if not harmless_url(f"x://h?{name}={value}")}
    secrets |= {options} if options and not harmless_url(f"x://h?{options}") else set()
    for secret in sorted(secrets, key=len, reverse=True):
        words = words.replace(secret, "***")
    return " ".join(words.split())[:500]
