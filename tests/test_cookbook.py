"""Every recipe of `docs/cookbook.md` is loaded and planned, with data that has the columns it names."""

from __future__ import annotations

import argparse
import contextlib
import re
import shlex
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlspec.cli.arguments import add_spec, spec_of
from mlspec.compose.reader import read
from mlspec.plan.build import build_plan
from mlspec.plan.plan import Plan
from mlspec.spec.load import Loaded, load
from mlspec.spec.schema import schema

PAGE = Path(__file__).resolve().parents[1] / "docs" / "cookbook.md"
TABLES = {
    "data/churn.csv": "customer_id;signed_up;plan;monthly_fee;support_calls;country;churned\n"
    "1;2024-01-01;basic;9.5;?;DE;yes\n",
    "logs/monday.jsonl": '{"page": "/", "seconds_on_page": 3.5, "returning": true, "clicked": false}\n',
    "data/claims.csv": "claim_id,customer_id,car,damage,kilometres,amount\n1,7,vw,dent,10000,500\n",
    "data/leaves.csv": "length,width,species,fold\n1.5,0.5,oak,train\n",
    "data/payments.csv": "amount,country,hour,fraud\n10,DE,12,0\n",
    "data/houses.csv": "square_metres,rooms,built,district,price\n80,3,1970,north,250000\n",
    "data/tickets.csv": "product,channel,words,attachments,team\nphone,mail,120,1,legal\n",
    "data/loans.csv": "income,amount,age,region,sex,officer,paid_back\n30000,5000,40,west,f,jo,true\n",
    "data/zones.csv": "month,name\n05,North\n",
    "data/orders.csv": "ordered_at,items,total,returned\n2024-05-01 12:00:00,2,30.5,false\n",
}
PEOPLE = {
    "person_id": [1],
    "survey_weight": [1.5],
    "income": [30000.0],
    "age": [40],
    "hours_per_week": [38],
    "workclass": ["private"],
}


@dataclass(frozen=True)
class Recipe:
    title: str
    files: dict[str, str]
    commands: tuple[str, ...]
    text: str


def recipes() -> list[Recipe]:
    """Return the recipes of the page."""
    found = []
    for part in re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        files: dict[str, str] = {}
        for text in re.findall(r"^```yaml\n(.*?)^```", part, re.DOTALL | re.MULTILINE):
            named = re.match(r"# (\S+\.yaml)\n", text)
            name = named[1] if named else "spec.yaml"
            assert name not in files, (part.splitlines()[0], name)
            files[name] = text
        lines = "\n".join(re.findall(r"^```sh\n(.*?)^```", part, re.DOTALL | re.MULTILINE)).splitlines()
        found.append(Recipe(part.splitlines()[0], files, tuple(lines), part))
    return found


def specs(recipe: Recipe) -> list[str]:
    return [name for name, text in recipe.files.items() if "apiVersion:" in text]


@pytest.fixture(autouse=True)
def _workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in TABLES.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    pq.write_table(pa.table(PEOPLE), tmp_path / "data" / "people.parquet")
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "shop.db")) as shop:
        shop.execute("CREATE TABLE orders (id INTEGER, size REAL, town TEXT, late INTEGER)")
    trips = tmp_path / "data" / "trips" / "year=2024" / "month=05" / "part-0.parquet"
    trips.parent.mkdir(parents=True)
    pq.write_table(pa.table({"distance": [1.5], "fare": [7.0], "tipped": [True]}), trips)


def laid_out(recipe: Recipe) -> None:
    for name, text in recipe.files.items():
        file = Path(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def planned(words: list[str]) -> tuple[Loaded, Plan]:
    parser = argparse.ArgumentParser()
    add_spec(parser)
    path, overrides, overlays = spec_of(parser.parse_args(words))
    # A server's columns are not there to be asked for.
    text = path.read_text("utf-8")
    loaded = load(path, overrides, overlays, data="${oc.env:" not in text and "://" not in text)
    return loaded, build_plan(loaded.spec, spec_path=str(path), overrides=overrides)


def recipe_of(start: str) -> Recipe:
    (found,) = [recipe for recipe in recipes() if recipe.title.startswith(start)]
    laid_out(found)
    return found


def test_there_are_recipes_in_order() -> None:
    titles = [recipe.title for recipe in recipes()]
    assert [int(title.split(".")[0]) for title in titles] == list(range(1, len(titles) + 1))
    assert len(titles) >= 20
    names = re.findall(r"^name: (\w+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.title)
def test_a_recipe_is_planned(recipe: Recipe) -> None:
    laid_out(recipe)
    assert specs(recipe)
    places: set[str] = set()
    check = jsonschema.Draft202012Validator(schema())
    for name in specs(recipe):
        plan = planned([name])[1]
        assert [step.name for step in plan.steps][:4] == ["ingest", "validate", "prepare", "train"]
        assert list(check.iter_errors(read(name, recipe.files[name])[0].tree)) == []
        places |= {f"{step.pipeline}/{step.name}" for step in plan.steps}
    told = re.findall(r"`artifacts/([a-z0-9_-]+/[a-z0-9-]+)/", recipe.text)
    assert set(told) <= places, "the text names a folder that no step writes"
    for command in recipe.commands:
        words = shlex.split(command)
        assert words[:2] == ["mlspec", "plan"]
        planned(words[2:])


def test_two_specs_share_their_data_steps() -> None:
    recipe_of("18.")
    one, other = planned(["spec.yaml"])[1], planned(["trees.yaml"])[1]
    assert one.steps[:3] == other.steps[:3]
    assert one.steps[3] != other.steps[3]
    assert one.steps[0].pipeline == "data-houses"


def test_layers_say_what_the_text_says() -> None:
    commands = recipe_of("19.").commands
    first = planned(shlex.split(commands[0])[2:])[0].spec.training
    second = planned(shlex.split(commands[1])[2:])[0].spec.training
    assert (first.epochs, first.optimizer.lr, first.optimizer.weight_decay) == (100, 3e-3, 0.05)  # type: ignore[attr-defined]
    assert (second.epochs, second.batch_size) == (2, 1024)


def test_overrides_say_what_the_text_says() -> None:
    made = [planned(shlex.split(command)[2:])[0].spec for command in recipe_of("22.").commands]
    assert (made[0].training.epochs, made[0].training.optimizer.lr) == (3, 1e-2)
    assert made[1].model.hidden == (256, 256)  # type: ignore[attr-defined]
    assert (made[2].model.kind, made[2].training.batch_size) == ("linear", 256)
    assert made[3].training.epochs == 10


def test_notes_change_no_step() -> None:
    recipe = recipe_of("21.")
    noted = planned(["spec.yaml"])[1]
    lines = [line for line in recipe.files["spec.yaml"].splitlines() if not line.strip().startswith("x-")]
    Path("spec.yaml").write_text("\n".join(lines) + "\n")
    assert planned(["spec.yaml"])[1].steps == noted.steps


def test_a_port_retrains_nothing() -> None:
    recipe_of("17.")
    assert planned(["spec.yaml"])[1].steps == planned(["spec.yaml", "deployments.online.port=9"])[1].steps
