"""A first spec is valid as it is written."""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import fsspec
import pytest

from mlspec.cli.main import main
from mlspec.spec.load import load, load_spec
from tests.plugins.source.postgres_server import postgres_server


@pytest.mark.parametrize(
    ("name", "kind"),
    [("breast_cancer", "binary"), ("wine", "category"), ("diabetes", "number"), ("iris", "category")],
)
def test_an_example_becomes_a_valid_spec(tmp_path, name, kind):
    assert main(["init", str(tmp_path / name), "--example", name]) == 0
    spec = load_spec(tmp_path / name / "spec.yaml")
    assert spec.data.target.kind == kind and spec.name == name
    assert (tmp_path / name / ".mlspec/spec.schema.json").is_file()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    lines = ["order id,price,colour,when,same,2 odd: name,churned"]
    for row in range(40):
        colour = ("red", "green", "no, blue")[row % 3]
        seen, left = f"2024-01-{row % 28 + 1:02d}T10:00:00", "gone" if row % 5 == 0 else "here"
        lines.append(f'o{row},{row * 1.5},"{colour}",{seen},1,{row % 7}.5,{left}')
    file = tmp_path / "2024 Shop.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


def test_a_csv_becomes_a_valid_spec_with_a_reason_for_each_column(tmp_path, shop, capsys):
    assert main(["init", str(tmp_path / "new"), "--from", str(shop)]) == 0
    loaded = load(tmp_path / "new/spec.yaml")
    spec = loaded.spec
    assert spec.name == "m_2024_shop"
    assert spec.data.source.path == "../2024 Shop.csv"
    assert spec.data.target.column == "churned" and spec.data.target.positive == "gone"
    assert {name: feature.kind for name, feature in spec.data.features.items()} == {
        "price": "number",
        "colour": "category",
        "when": "datetime",
        "2 odd: name": "number",
    }
    assert set(spec.data.ignore) == {"order id", "same"}
    told = capsys.readouterr()
    assert "order id: ignored: " in told.err and "spec.yaml: written" in told.out


@pytest.mark.parametrize(("rows", "batch", "epochs"), [(4_999, 32, 200), (5_000, 256, 20)])
def test_few_rows_make_small_batches_and_many_epochs(rows, batch, epochs, tmp_path):
    lines = [f"{row % 97},{row % 31}.5,{'yes' if row % 97 > 40 else 'no'}" for row in range(rows)]
    (tmp_path / "rows.csv").write_text("\n".join(["age,size,bought", *lines]) + "\n")
    assert main(["init", str(tmp_path / "new"), "--from", str(tmp_path / "rows.csv")]) == 0
    training = load(tmp_path / "new/spec.yaml").spec.training
    assert (training.batch_size, training.epochs) == (batch, epochs)


def test_a_folder_and_a_compressed_file_become_valid_specs(tmp_path, shop, capsys):
    for year in (2023, 2024):
        part = tmp_path / "parts" / f"year={year}" / "rows.csv"
        part.parent.mkdir(parents=True)
        part.write_bytes(shop.read_bytes().replace(b",", b";"))
    (tmp_path / "parts" / "_SUCCESS").touch()
    assert main(["init", str(tmp_path / "a"), "--from", str(tmp_path / "parts")]) == 0
    spec = load_spec(tmp_path / "a/spec.yaml")
    assert spec.name == "parts" and spec.data.source.hive and spec.data.source.delimiter == ";"
    assert spec.data.source.path == "../parts" and "year" in {*spec.data.features, spec.data.target.column}
    with gzip.open(tmp_path / "Packed.csv.gz", "wb") as packed:
        packed.write(shop.read_bytes())
    assert main(["init", str(tmp_path / "b"), "--from", str(tmp_path / "Packed.csv.gz")]) == 0
    assert load_spec(tmp_path / "b/spec.yaml").name == "packed"
    (tmp_path / "parts" / "other.parquet").touch()
    assert main(["init", str(tmp_path / "c"), "--from", str(tmp_path / "parts")]) == 2
    assert "several kinds: csv, parquet" in capsys.readouterr().err


def test_another_target_may_be_named(tmp_path, shop, capsys):
    assert main(["init", str(tmp_path), "--from", str(shop), "--target", "colour"]) == 0
    spec = load_spec(tmp_path / "spec.yaml")
    assert spec.data.target.kind == "category" and "churned" in spec.data.features
    assert main(["init", str(tmp_path / "b"), "--from", str(shop), "--target", "color"]) == 2
    assert "no column 'color'" in capsys.readouterr().err
    assert not (tmp_path / "b").exists()


def test_nothing_is_overwritten(tmp_path, capsys):
    (tmp_path / "spec.yaml").write_text("mine")
    assert main(["init", str(tmp_path), "--example", "wine"]) == 2
    assert (tmp_path / "spec.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--from", "none.csv"], "no file 'none.csv'"),
        (["--from", "__FILE__"], "of no known kind"),
        (["--example", "titanic"], "no example 'titanic'"),
        (["--target", "y"], "--target needs the data"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, capsys, words, told):
    file = tmp_path / "a.xls"
    file.write_text("x")
    words = [str(file) if word == "__FILE__" else word for word in words]
    assert main(["init", str(tmp_path / "new"), *words]) in (2, 3)
    assert told in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_an_empty_spec_names_what_to_change(tmp_path, capsys):
    assert main(["init", str(tmp_path)]) == 0
    assert main(["validate", str(tmp_path / "spec.yaml")]) != 0
    assert "data.csv" in capsys.readouterr().err
    assert main(["validate", str(tmp_path / "spec.yaml"), "--no-data"]) == 0


@pytest.mark.parametrize("sign", [";", "\t", "|"])
def test_another_sign_between_values_is_seen(tmp_path, sign):
    rows = [("age", "pay", "churned"), *((str(row), str(row % 7), str(row % 2)) for row in range(40))]
    (tmp_path / "rows.csv").write_text("".join(sign.join(row) + "\n" for row in rows))
    assert main(["init", str(tmp_path), "--from", str(tmp_path / "rows.csv")]) == 0
    data = load_spec(tmp_path / "spec.yaml").data
    assert data.target.column == "churned" and data.source.delimiter == sign
    assert not isinstance(data.features, str) and "pay" in data.features


@pytest.mark.parametrize("name", ["wine", "breast_cancer", "diabetes"])
def test_an_example_is_the_one_that_is_shipped(tmp_path, root, name):
    assert main(["init", str(tmp_path), "--example", name]) == 0
    text = (tmp_path / "spec.yaml").read_text()
    first, _, rest = text.partition("\n")
    assert first == "# yaml-language-server: $schema=.mlspec/spec.schema.json"
    assert rest == (root / "examples" / name / "spec.yaml").read_text()


def test_an_example_may_have_another_name_or_target(tmp_path):
    assert main(["init", str(tmp_path / "a"), "--example", "wine", "--name", "My wine"]) == 0
    spec = load_spec(tmp_path / "a/spec.yaml")
    assert spec.name == "my_wine" and spec.data.source.name == "wine"
    assert main(["init", str(tmp_path / "b"), "--example", "wine", "--target", "alcohol"]) == 0
    assert load_spec(tmp_path / "b/spec.yaml").data.target.column == "alcohol"


def test_every_example_of_the_checkout_can_be_had(root):
    from mlspec.cli.init import examples

    assert set(examples()) == {file.parent.name for file in root.glob("examples/*/spec.yaml")}
    assert '"examples" = "mlspec/examples"' in (root / "pyproject.toml").read_text()


def test_doubts_stand_beside_the_columns(tmp_path, shop):
    assert main(["init", str(tmp_path / "new"), "--from", str(shop)]) == 0
    text = (tmp_path / "new/spec.yaml").read_text()
    assert "  # guessed: its name says so; another one: --target COLUMN\n" in text
    assert "  # the rarer of the two values, gone, counts as positive\n" in text
    assert "    - order id  # every row has a value of its own: it looks like an id\n" in text
    assert "    - same      # it always holds the same value\n" in text
    assert main(["init", str(tmp_path / "b"), "--from", str(shop), "--target", "churned"]) == 0
    assert "guessed" not in (tmp_path / "b/spec.yaml").read_text()


def test_numbers_that_may_be_none_are_questioned(tmp_path):
    rows = ["zip_code,month,seen_time,pay,left"]
    rows += [
        f"{1000 + row % 37},{row % 12},{1700000000 + row % 90},{row / 7},{row % 2}" for row in range(200)
    ]
    (tmp_path / "rows.csv").write_text("\n".join(rows) + "\n")
    assert main(["init", str(tmp_path), "--from", str(tmp_path / "rows.csv")]) == 0
    lines = {line.split(":")[0].strip(): line for line in (tmp_path / "spec.yaml").read_text().splitlines()}
    assert "is it a code? then: category" in lines["zip_code"]
    assert "only 12 whole ones: or category" in lines["month"]
    assert "is it a time?" in lines["seen_time"]
    assert lines["pay"].endswith("# every value is a number")
    assert main(["validate", str(tmp_path / "spec.yaml")]) == 0


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
def test_another_encoding_is_seen(tmp_path, encoding):
    rows = "".join(
        f"{row / 8},{'grün' if row % 3 else 'rot'},{'ja' if row % 2 else 'nein'}\n" for row in range(40)
    )
    (tmp_path / "data.csv").write_text(f"größe,farbe,kauf\n{rows}", encoding)
    assert main(["init", str(tmp_path), "--from", str(tmp_path / "data.csv")]) == 0
    spec = load_spec(tmp_path / "spec.yaml")
    assert spec.data.source.encoding == encoding
    assert {"größe", "farbe"} <= set(spec.data.features)


def test_a_spec_of_another_name_may_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("a,y\n" + "".join(f"{place},{place % 2}\n" for place in range(40)))
    assert main(["init", "second.yaml", "--from", "rows.csv", "--target", "y"]) == 0
    told = capsys.readouterr()
    assert told.out == "second.yaml: written\n" and "`mlspec run second.yaml`" in told.err
    assert main(["validate", "second.yaml"]) == 0
    assert main(["init", "second.yaml"]) == 2
    assert "second.yaml' is there already" in capsys.readouterr().err


ORDERS = "SELECT i AS id, i * 1.5 AS size, CASE WHEN i % 5 = 0 THEN 'yes' ELSE 'no' END AS late FROM "


def database_file(file: Path, *tables: str) -> Path:
    rows = f"{ORDERS}range(40) AS r(i)"
    with duckdb.connect() as made:
        if file.suffix == ".sqlite":
            found = made.execute(rows).fetchall()
            with closing(sqlite3.connect(file)) as other:
                for table in tables:
                    other.execute(f"CREATE TABLE {table} (id INTEGER, size REAL, late TEXT)")
                    other.executemany(
                        f"INSERT INTO {table} VALUES (?, ?, ?)", [(i, float(x), y) for i, x, y in found]
                    )
                other.commit()
            return file
        made.execute(f"ATTACH '{file}' AS made; USE made; CREATE SCHEMA sales")
        for table in tables:
            made.execute(f"CREATE TABLE {table} AS {rows}")
    return file


@pytest.mark.parametrize("end", [".sqlite", ".duckdb"])
def test_the_only_table_of_a_database_file_becomes_a_valid_spec(tmp_path, end):
    file = database_file(tmp_path / f"shop{end}", "orders")
    assert main(["init", str(tmp_path / "new"), "--from", str(file)]) == 0
    spec = load_spec(tmp_path / "new/spec.yaml")
    source = spec.data.source
    assert (spec.name, source.path, source.table, source.order_by) == (
        "orders",
        f"../{file.name}",
        "orders",
        ("id",),
    )
    assert spec.data.target.positive == "yes" and set(spec.data.features) == {"size"}


def test_which_of_several_tables_is_asked_and_taken(tmp_path, capsys):
    file = database_file(tmp_path / "shop.db", "other", "sales.orders")
    assert main(["init", str(tmp_path / "new"), "--from", str(file)]) == 2
    assert "--table other, sales.orders" in capsys.readouterr().err
    assert main(["init", str(tmp_path / "new"), "--from", str(file), "--table", "sales.orders"]) == 0
    assert load_spec(tmp_path / "new/spec.yaml").data.source.table == "sales.orders"


def test_a_table_of_a_server_becomes_a_valid_spec_that_holds_no_password(tmp_path, capsys, monkeypatch):
    place = ["init", str(tmp_path / "new"), "--from"]
    assert main([*place, "postgresql://reader:hunter2@127.0.0.1/shop", "--table", "t"]) == 2
    told = capsys.readouterr().err
    assert "hunter2" not in told and "--from '${oc.env:DATABASE_URL}'" in told
    with postgres_server() as server:
        server.run(f"CREATE TABLE orders AS {ORDERS} generate_series(1, 40) AS r(i)")
        monkeypatch.setenv("SHOP_URL", server.url)
        table = f"{server.schema}.orders"
        assert main([*place, "${oc.env:SHOP_URL}", "--table", f"{table}s"]) == 1
        assert "orderss" in capsys.readouterr().err and not (tmp_path / "new").exists()
        assert main([*place, "${oc.env:SHOP_URL}", "--table", table]) == 0
        assert '"${oc.env:SHOP_URL}", table: ' in (tmp_path / "new/spec.yaml").read_text()
        assert load_spec(tmp_path / "new/spec.yaml").name == "orders"


def test_a_url_of_files_becomes_a_valid_spec(tmp_path, shop):
    url = "memory://init/parts"
    for year in (2023, 2024):
        with fsspec.open(f"{url}/year={year}/rows.csv", "wb") as file:
            file.write(shop.read_bytes().replace(b",", b";"))
    assert main(["init", str(tmp_path / "new"), "--from", url]) == 0
    spec = load_spec(tmp_path / "new/spec.yaml")
    assert (spec.name, spec.data.source.path, spec.data.source.delimiter) == ("parts", url, ";")
    assert spec.data.source.hive and "year" in {*spec.data.features, spec.data.target.column}


@pytest.mark.parametrize(
    ("given", "code", "told"),
    [
        (["--table", "t"], 2, "add --from FILE"),
        (["--from", "rows.csv", "--table", "t"], 2, "leave --table out"),
        (["--from", "mysql://reader@127.0.0.1/shop"], 2, "--table SCHEMA.NAME"),
        (["--from", "postgress://reader@127.0.0.1/shop", "--table", "t"], 1, "did you mean 'postgresql'?"),
        (["--from", "${oc.env:NOBODYS_URL}", "--table", "t"], 3, "'NOBODYS_URL' is not set"),
        (["--from", "memory://nowhere/rows.csv"], 3, "there is no file 'memory://nowhere/rows.csv'"),
    ],
)
def test_what_no_spec_can_be_made_of_is_told(tmp_path, monkeypatch, capsys, given, code, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    assert main(["init", *given]) == code
    assert told in capsys.readouterr().err and not (tmp_path / "spec.yaml").exists()
