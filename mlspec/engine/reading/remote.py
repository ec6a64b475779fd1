"""Files behind a URL: listed and opened where they lie, or brought here."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from mlspec.errors import MissingError, MlspecError, StepError

EXTRAS = {"s3": "pip install 'mlspec[s3]'"}
"""What to install for a protocol; for others fsspec names the package."""
BLOCK = 2**20
"""Bytes that are read at once."""


@dataclass(frozen=True, eq=False)
class Remote:
    """A file behind a URL, as much like a `Path` as the readers of headers ask."""

    system: Any
    """The fsspec file system."""
    key: PurePosixPath
    """Its path there."""
    url: str
    """What the user wrote, for messages."""

    @property
    def name(self) -> str:
        """Return the last part of its path."""
        return self.key.name

    @property
    def suffix(self) -> str:
        """Return the end of its name."""
        return self.key.suffix

    def relative_to(self, folder: Any) -> PurePosixPath:
        """Return its path below a folder of the same file system."""
        return self.key.relative_to(folder)

    @contextmanager
    def open(self, mode: str = "rb") -> Iterator[IO[bytes]]:
        """Open its bytes.

        Raises:
            MissingError: it is not within reach.
        """
        with _told(self.url):
            stream = self.system.open(str(self.key), mode)
        # What its reader finds wrong with the content is no fault of the way to it.
        with stream:
            yield stream

    def mark(self) -> dict[str, Any]:
        """Return what tells its content: the server's own mark where there is one, else its SHA-256."""
        with _told(self.url):
            info = self.system.info(str(self.key))
            etag = info.get("ETag") or info.get("etag") or info.get("md5Hash")
            if etag:
                return {"size": info["size"], "etag": str(etag).strip('"')}
            with self.system.open(str(self.key), "rb") as stream:
                digest = hashlib.sha256()
                while block := stream.read(BLOCK):
                    digest.update(block)
            return {"size": info["size"], "sha256": digest.hexdigest()}

    def fetch(self, file: Path) -> None:
        """Copy it to a file on this machine.

        Raises:
            MissingError: it is not within reach.
            StepError: it became another one meanwhile.
        """
        before = self.mark()
        file.parent.mkdir(parents=True, exist_ok=True)
        with _told(self.url), self.open() as stream, open(file, "wb") as local:
            shutil.copyfileobj(stream, local, BLOCK)
        if self.mark() != before or file.stat().st_size != before["size"]:
            raise StepError(
                f"'{self.name}' of '{self.url}' changed while it was read",
                where="data.source.path",
                fix="run again",
            )


def remote_places(url: str, suffixes: Sequence[str]) -> tuple[Remote, ...]:
    """Return the files that a URL, a glob or a folder means, in the order of their paths.

    Raises:
        MissingError: there is none, or the server, its driver or the right to read is not there.
    """
    system, key = _system(url)
    glob = any(sign in key for sign in "*?[")
    with _told(url):
        system.invalidate_cache()
        if glob:
            found = [path for path, info in system.glob(key, detail=True).items() if info["type"] == "file"]
        elif system.isfile(key):
            found = [key]
        else:
            found = [path for path in system.find(key) if _counts(path, key, suffixes)]
    if not found:
        word = (
            f"no file matches '{url}'" if glob else f"there is no file '{url}', nor one of this kind below it"
        )
        raise MissingError(word, where="data.source.path", fix="check the URL, and who may read it")
    return tuple(Remote(system, key, url) for key in sorted(map(PurePosixPath, found)))


def remote_root(url: str) -> PurePosixPath:
    """Return the folder below which the files of a URL lie: a glob's fixed part, itself, or its parent."""
    system, key = _system(url)
    parts = PurePosixPath(key).parts
    pattern = next((at for at, part in enumerate(parts) if any(sign in part for sign in "*?[")), None)
    if pattern is not None:
        return PurePosixPath(*parts[:pattern])
    with _told(url):
        return PurePosixPath(key).parent if system.isfile(key) else PurePosixPath(key)


def remote_rest(url: str) -> str:
    """Return the path of a URL below its root: a pattern, a file's name, or nothing for a folder."""
    return PurePosixPath(_system(url)[1]).relative_to(remote_root(url)).as_posix().removeprefix(".")


def _counts(path: str, folder: str, suffixes: Sequence[str]) -> bool:
    below = PurePosixPath(path).relative_to(PurePosixPath(folder)).parts
    hidden = any(part[:1] in (".", "_") for part in below)
    return not hidden and path.lower().endswith(tuple(suffixes))


def _system(url: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    protocol = url.partition("://")[0]
    try:
        system, key = url_to_fs(url)
    except ImportError as missing:
        raise MissingError(
            f"nothing here reads '{protocol}://': {missing}",
            where="data.source.path",
            fix=EXTRAS.get(protocol, "install the package that it names"),
        ) from missing
    except ValueError as unknown:
        raise StepError(f"'{url}' cannot be read: {unknown}", where="data.source.path") from unknown
    return system, str(key)


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Tell a driver's fault as one of ours: each driver has faults of its own, of no common kind."""
    try:
        yield
    except MlspecError:
        raise
    except FileNotFoundError as error:
        raise MissingError(
            f"there is no file '{url}'", where="data.source.path", fix="check the URL"
        ) from error
    except Exception as error:
        why = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise MissingError(
            f"'{url}' cannot be reached: {why}",
            where="data.source.path",
            fix="check the URL, the network, and the credentials in the environment",
        ) from error
