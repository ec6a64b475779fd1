"""Files behind URLs: in memory, of this machine, and on a server that speaks S3's protocol."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import fsspec
import pyarrow as pa
import pytest
from mlspec.plugins.source.query import Query
from pyarrow import feather, parquet
from pydantic import ValidationError

from mlspec.engine.checking import proposal
from mlspec.engine.checking.proposal import first_rows
from mlspec.engine.reading.as_ingested import as_ingested
from mlspec.engine.reading.kept_rows import keep_rows, of_kept_rows
from mlspec.engine.reading.reading import Reading
from mlspec.errors import MissingError, StepError
from mlspec.sdk.context import Context
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot

Put = Callable[[str, bytes], str]
ENDS = {"csv": ".csv", "json": ".jsonl", "parquet": ".parquet", "arrow": ".arrow"}


def content(rows: list[dict[str, Any]], kind: str, folder: Path) -> bytes:
    file = folder / f"made{ENDS[kind]}"
    if kind == "csv":
        file.write_text(
            "".join(",".join(map(str, line)) + "\n" for line in (rows[0], *(row.values() for row in rows)))
        )
    elif kind == "json":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        (parquet.write_table if kind == "parquet" else feather.write_feather)(
            pa.Table.from_pylist(rows), str(file)
        )
    made = file.read_bytes()
    file.unlink()
    return made


@pytest.fixture(params=["memory", "file", "s3"])
def put(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Put]:
    """Return what puts bytes below a URL, `rows/` and a name, and returns their URL."""
    if request.param == "s3":
        yield from _bucket(monkeypatch, tmp_path)
        return
    place = "memory://far/rows" if request.param == "memory" else f"file://{tmp_path}/far/rows"
    system = fsspec.filesystem(request.param)

    def store(name: str, data: bytes) -> str:
        key = f"{place}/{name}" if request.param == "memory" else f"{tmp_path}/far/rows/{name}"
        system.makedirs(key.rpartition("/")[0], exist_ok=True)
        system.pipe(key, data)
        return f"{place}/{name}"

    yield store
    if request.param == "memory":
        system.rm("/far", recursive=True)


def _bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Put]:
    import boto3
    from moto.server import ThreadedMotoServer

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        # What an earlier server of this process was given is still there.
        urlopen(Request(f"{endpoint}/moto-api/reset", method="POST")).close()
        client = boto3.client("s3", endpoint_url=endpoint)
        client.create_bucket(Bucket="far")
        # An instance of an earlier server would be found again.
        fsspec.filesystem("s3").clear_instance_cache()

        def store(name: str, data: bytes) -> str:
            client.put_object(Bucket="far", Key=f"rows/{name}", Body=data)
            return f"s3://far/rows/{name}"

        yield store
    finally:
        server.stop()


def source(kind: str, path: str, **options: Any) -> Any:
    return Slot("source").choose({"kind": kind, "path": path, **options})


def here(folder: Path) -> Context:
    (folder / "work").mkdir(exist_ok=True)
    return Context(folder / "work", scratch=folder / "scratch")


@pytest.mark.parametrize("kind", ENDS)
def test_files_folders_and_globs_are_read_like_local_ones(put: Put, tmp_path: Path, kind: str) -> None:
    end, context = ENDS[kind], here(tmp_path)
    for year, number in (("2024", 2), ("2023", 1)):
        url = put(f"year={year}/part{end}", content([{"n": number}, {"n": number + 0.5}], kind, tmp_path))
    put("_SUCCESS", b"")
    root = url.rpartition("/year=")[0]
    for path, options, wanted in (
        (url, {}, [1, 1.5]),
        (root, {"hive": True}, [1, 1.5, 2, 2.5]),
        (f"{root}/*/*{end}", {"hive": False}, [1, 1.5, 2, 2.5]),
    ):
        found = source(kind, path, **options)
        assert found.dependencies() is None and found.keeps == "source"
        assert found.columns(context) == (("n", "year") if options.get("hive") else ("n",))
        reading = Reading.of({"source": dict(found), "features": {"n": "number"}}, context).check()
        assert [row["n"] for row in reading.table.to_pyarrow().to_pylist()] == wanted
        folder = context.workspace / "artifacts" / str(len(wanted)) / str(options.get("hive"))
        taken = keep_rows(found, folder, context)
        assert taken == found.fingerprint(context) and str(tmp_path) not in json.dumps(taken)
        kept = of_kept_rows({"source": dict(found), "features": {"n": "number"}}, folder, context)
        assert "://" not in kept["source"]["path"]
        rows = Reading.of(kept, context).check().table.to_pyarrow().to_pylist()
        assert [row["n"] for row in rows] == wanted
    before = source(kind, root, hive=True).fingerprint(context)
    put(f"year=2024/part{end}", content([{"n": 7}], kind, tmp_path))
    assert source(kind, root, hive=True).fingerprint(context) != before


def test_a_first_look_brings_the_first_files_only(
    put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for year in (2023, 2024):
        url = put(f"first/year={year}/rows.csv", f"a\n{year}\n".encode())
    found, context = source("csv", url.rpartition("/year")[0], hive=True), here(tmp_path)
    assert len(first_rows(found, context, ordered=False).to_pyarrow()) == 2
    monkeypatch.setattr(proposal, "SOME", 1)
    rows = first_rows(found, context, ordered=False).to_pyarrow().to_pylist()
    assert rows == [{"a": "2023", "year": "2023"}]


def test_what_is_not_there_is_missing_and_what_is_damaged_is_told(put: Put, tmp_path: Path) -> None:
    context = here(tmp_path)
    url = put("t.csv", b"a,b\n1,2\n3\n")
    for other in (url.replace("t.csv", "none.csv"), url.replace("t.csv", "none-*.csv")):
        with pytest.raises(MissingError, match="none"):
            source("csv", other).columns(context)
    found = Reading.of({"source": {"kind": "csv", "path": url}, "max_rejects": 1.0}, context)
    assert [(item.reason, item.rows) for item in found.rejects] == [("too few values for the header", 1)]
    packed = put("t.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 9999)[:-9])
    assert source("csv", packed).columns(context) == ("a", "b")
    with pytest.raises(StepError, match="no whole compressed file"):
        source("csv", packed).read(context)
    with pytest.raises(StepError, match="no whole Parquet file"):
        source("parquet", put("t.parquet", b"PAR1")).columns(context)
    with pytest.raises(StepError, match="is not utf-8 text"):
        source("csv", put("l.csv", "größe\n1\n".encode("latin-1"))).columns(context)


def test_a_file_that_changes_while_it_is_read_ends_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlspec.engine.reading.remote import Remote

    memory = fsspec.filesystem("memory")
    memory.pipe("/moving/t.csv", b"a\n1\n")
    mark = Remote.mark

    def moving(self: Remote) -> dict[str, Any]:
        found = mark(self)
        memory.pipe("/moving/t.csv", b"a\n2\n")
        return found

    monkeypatch.setattr(Remote, "mark", moving)
    with pytest.raises(StepError, match="changed while"):
        keep_rows(source("csv", "memory://moving/t.csv"), tmp_path, here(tmp_path))


def test_a_name_that_leads_out_of_the_folder_is_written_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pathlib import PurePosixPath

    from mlspec.engine.reading import files
    from mlspec.engine.reading.remote import Remote

    memory = fsspec.filesystem("memory")
    memory.pipe("/climbing/t.csv", b"a\n1\n")
    climbing = Remote(memory, PurePosixPath("/climbing/x/../../evil.csv"), "memory://climbing")
    monkeypatch.setattr(files, "remote_places", lambda url, suffixes: (climbing,))
    with pytest.raises(StepError, match="leads out of its folder"):
        files.fetched(source("csv", "memory://climbing"), tmp_path / "kept", here(tmp_path))
    assert not list(tmp_path.rglob("evil.csv"))


def test_what_no_package_reads_is_named_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(url: str) -> None:
        raise ImportError("Install s3fs to access S3")

    with pytest.raises(StepError, match="Protocol not known"):
        source("csv", "nothing://a/b.csv").columns(here(tmp_path))
    monkeypatch.setattr("fsspec.core.url_to_fs", missing)
    with pytest.raises(MissingError, match="nothing here reads 's3://': Install s3fs") as told:
        source("csv", "s3://a/b.csv").columns(here(tmp_path))
    assert told.value.fix == "pip install 'mlspec[s3]'"


@pytest.mark.parametrize(
    "path", ["s3://key:word@bucket/t.csv", "https://me:word@host/t.csv", "zip://t.csv::s3://b/z"]
)
def test_credentials_in_a_url_are_refused(path: str) -> None:
    with pytest.raises(ValidationError, match="without credentials"):
        source("csv", path)


def test_a_server_that_is_away_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "hunter2-and-more")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    fsspec.filesystem("s3").clear_instance_cache()
    with pytest.raises(MissingError, match=r"'s3://far/t\.csv' cannot be reached") as told:
        source("csv", "s3://far/t.csv").columns(here(tmp_path))
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize("kind", ENDS)
def test_a_query_reads_files_behind_urls_as_it_reads_local_ones(put: Put, tmp_path: Path, kind: str) -> None:
    context, end = here(tmp_path), ENDS[kind]
    context.workspace.joinpath("names.csv").write_text("k,name\n1,one\n2,two\n")
    for year in (2023, 2024):
        url = put(f"joined-{kind}/year={year}/t{end}", content([{"k": 1, "n": year + 0.5}], kind, tmp_path))
    glob = f"{url.rpartition('/year=')[0]}/*/*{end}"
    sql = "SELECT name, year, n::DOUBLE AS n FROM far JOIN names ON far.k::BIGINT = names.k::BIGINT"
    data = {"source": {"kind": "query", "files": {"far": glob, "names": "names.csv"}, "sql": sql}}
    found = Slot("source").choose(freeze(data["source"]))
    assert isinstance(found, Query) and found.dependencies() is None
    assert found.columns(context) == ("name", "year", "n")
    # Nothing was brought here for that.
    assert not context.scratch.exists() or not list(context.scratch.glob("remote-*"))
    folder = context.workspace / "artifacts" / "ingest"
    taken = keep_rows(found, folder, context)
    assert taken == found.fingerprint(context) and str(tmp_path) not in json.dumps(taken)
    kept = of_kept_rows(data, folder, context)
    assert "://" not in json.dumps(dict(kept["source"])) and kept["source"]["files"]["names"] == "names.csv"
    wanted = [("one", "2023", 2023.5), ("one", "2024", 2024.5)]
    for asked in (data, kept):
        rows = Reading.of(asked, context).check().table.order_by("mlspec_row").to_pyarrow().to_pylist()
        assert [(row["name"], row["year"], row["n"]) for row in rows] == wanted
    as_ingested(data, {"fingerprint": taken}, context)
    put(f"joined-{kind}/year=2024/t{end}", content([{"k": 2, "n": 7.5}], kind, tmp_path))
    # What changed behind the URL is no matter: later steps read the copies. A file of this machine is.
    as_ingested(data, {"fingerprint": taken}, context)
    assert found.fingerprint(context) != taken
    context.workspace.joinpath("names.csv").write_text("k,name\n1,other\n")
    with pytest.raises(StepError, match="changed since 'ingest' read it"):
        as_ingested(data, {"fingerprint": taken}, context)


def test_a_query_tells_what_is_not_within_reach_and_takes_no_credentials(put: Put, tmp_path: Path) -> None:
    far = {"far": put("t.csv", b"a\n1\n").replace("t.csv", "none.csv")}
    missing = Slot("source").choose(freeze({"kind": "query", "files": far, "sql": "SELECT * FROM far"}))
    with pytest.raises(MissingError, match="none"):
        missing.columns(here(tmp_path))  # type: ignore[attr-defined]
    for path in ("s3://key:secret@bucket/t.csv", "zip://a.csv::s3://bucket/t.zip"):
        with pytest.raises(ValidationError, match="without credentials") as told:
            Slot("source").choose({"kind": "query", "files": {"far": path}, "sql": "SELECT * FROM far"})
        assert "secret" not in str(told.value.errors()[0]["msg"])
