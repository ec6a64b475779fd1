import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mlspec import registry
from mlspec.engine.files import read_json
from mlspec.engine.scoring.scorer import Scorer
from mlspec.engine.serving.rows import to_batch
from mlspec.engine.watching.segment_references import segment_references
from mlspec.engine.watching.with_methods import with_methods
from mlspec.errors import MissingError, StepError, UsageError
from mlspec.sdk.contract import Contract
from mlspec.sdk.monitor import Monitor
from mlspec.sdk.segment import Segment
from mlspec.sdk.slot import Slot
from tests.tiny_package import ROW, rows, write_package

DRIFT = {"false_alarms": 0.05, "smallest_effect": 0.1}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_package(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def scorer(package: Path) -> Scorer:
    return Scorer(package / "model.onnx")


def monitor() -> Monitor:
    chosen = Slot("monitor").choose({"kind": "whylogs", "of": "online"})
    assert isinstance(chosen, Monitor)
    return chosen


def observer(contract: Contract, folder: Path, every: float = 3600.0, clock: Any = None) -> Any:
    registry.find("monitor", "whylogs")
    from mlspec.plugins.monitor._whylogs_observer import WhylogsObserver

    return WhylogsObserver(contract, folder, every, **({"clock": clock} if clock else {}))


def answered(scorer: Scorer, asked: list[dict[str, Any]]) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    batch = to_batch(asked, scorer.contract)
    return batch, scorer.score(batch)


def reference(package: Path) -> dict[str, Any]:
    return {"inputs": read_json(package / "reference.json"), "answers": read_json(package / "answers.json")}


def verdicts(report: dict[str, Any]) -> dict[str, str]:
    return {column["column"]: column["verdict"] for column in report["columns"]}


def test_rows_such_as_those_of_training_have_not_drifted(
    package: Path, scorer: Scorer, tmp_path: Path
) -> None:
    watching = monitor().observer(scorer.contract, tmp_path)
    watching.observe(*answered(scorer, rows(3000, seed=3)))
    watching.flush()
    report = monitor().compare(tmp_path, reference(package), DRIFT)
    assert (
        not report["drift"] and report["rows"] == 3000 and report["windows"] == 1 and report["dropped"] == 0
    )
    assert verdicts(report) == {
        **dict.fromkeys(["age", "town", "rooms", "smoker", "seen"], "stable"),
        **dict.fromkeys(["label", "probability_no", "probability_>yes"], "stable"),
    }  # fmt: skip
    assert {column["part"] for column in report["columns"]} == {"inputs", "answers"}


def test_changed_rows_are_told_by_column_and_their_answers_too(
    package: Path, scorer: Scorer, tmp_path: Path
) -> None:
    asked = rows(3000, seed=4)
    for place, row in enumerate(asked):
        row["age"] = None if row["age"] is None else row["age"] * 1.5
        row["town"] = "Atlantis" if place % 3 == 0 else row["town"]
    watching = monitor().observer(scorer.contract, tmp_path)
    watching.observe(*answered(scorer, asked))
    watching.flush()
    report = monitor().compare(tmp_path, reference(package), DRIFT)
    told = verdicts(report)
    assert report["drift"] and told["age"] == told["town"] == told["probability_>yes"] == "drift"
    assert told["rooms"] == told["smoker"] == told["seen"] == "stable"


def segmented(package: Path, scorer: Scorer, columns: list[str], count: int = 6000) -> list[dict[str, Any]]:
    made = to_batch(rows(count, seed=11), scorer.contract)
    names = [item.name for item in scorer.contract.inputs]
    answers = pa.Table.from_batches([scorer.score(made)])
    table = pa.Table.from_batches([made])
    for name in ("rooms", "smoker"):  # as `prepare` keeps them
        table = table.set_column(names.index(name), name, table.column(name).cast(pa.string()))
    return segment_references(columns, table.column, names, answers)


def test_a_change_of_one_segment_is_told_though_the_whole_hides_it(
    package: Path, scorer: Scorer, tmp_path: Path
) -> None:
    known = reference(package) | {"segments": segmented(package, scorer, ["town", "smoker"])}
    asked = rows(4000, seed=12)
    for row in asked:
        if row["town"] == "" and row["age"] is not None:
            row["age"] += 6.0
    parts = [Segment.of(entry) for entry in known["segments"]]
    for start in range(0, 4000, 1000):
        watching = monitor().observer(scorer.contract, tmp_path, parts)
        for at in range(start, start + 1000, 100):
            watching.observe(*answered(scorer, asked[at : at + 100]))
        watching.flush()
    report = monitor().compare(tmp_path, known, DRIFT)
    assert verdicts(report)["age"] == "stable"
    told = {one["segment"]: one for one in report["segments"]}
    assert {name: one["verdict"] for name, one in told.items()} == {
        "town = Bern": "stable", "town = Zürich": "stable", "town = ''": "drift",
        "smoker = false": "stable", "smoker = true": "stable",
    }  # fmt: skip
    assert verdicts(told["town = ''"])["age"] == "drift" and verdicts(told["town = ''"])["rooms"] == "stable"
    assert {column["part"] for column in told["town = ''"]["columns"]} == {"inputs", "answers"}
    assert sum(one["rows"] for one in report["segments"]) == 8000 and report["rows"] == 4000
    assert report["drift"] is True
    windows = monitor().compare(tmp_path, known, DRIFT, by_window=True)["by_window"]
    assert {window["verdict"] for window in windows} == {"stable"}


def test_segments_are_compared_by_the_methods_of_their_columns(
    package: Path, scorer: Scorer, tmp_path: Path
) -> None:
    known = reference(package) | {"segments": segmented(package, scorer, ["smoker"])}
    watching = monitor().observer(scorer.contract, tmp_path, [Segment.of(one) for one in known["segments"]])
    watching.observe(*answered(scorer, rows(1000, seed=13)))
    watching.flush()
    far = with_methods(known, {"age": {"method": "wasserstein", "threshold": 3.0}})
    report = monitor().compare(tmp_path, far, DRIFT)
    tests = {column["test"] for part in report["segments"][:2] for column in part["columns"]}
    assert "wasserstein" in tests and report["drift"] is False


def test_rows_of_a_segment_stay_in_their_window_and_none_is_lost(
    package: Path, scorer: Scorer, tmp_path: Path
) -> None:
    known = segmented(package, scorer, ["smoker"])
    now = [30.0]
    from mlspec.plugins.monitor._whylogs_observer import WhylogsObserver

    watching = WhylogsObserver(
        scorer.contract, tmp_path, 60.0, segments=[Segment.of(one) for one in known], clock=lambda: now[0]
    )
    for window, count in enumerate((500, 300)):
        now[0] = 30.0 + 60.0 * window
        watching.observe(*answered(scorer, rows(count, seed=window)))
    watching.flush()
    for since, expected in ((None, 800), (70.0, 300)):
        report = monitor().compare(tmp_path, reference(package) | {"segments": known}, DRIFT, since)
        assert sum(one["rows"] for one in report["segments"]) == report["rows"] == expected


def test_few_rows_are_too_few_to_say(package: Path, scorer: Scorer, tmp_path: Path) -> None:
    watching = monitor().observer(scorer.contract, tmp_path)
    watching.observe(*answered(scorer, rows(20)))
    watching.flush()
    report = monitor().compare(tmp_path, reference(package), DRIFT)
    assert not report["drift"] and verdicts(report)["age"] == "too_few_rows"


def test_nothing_observed_is_something_missing(package: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="nothing was observed"):
        monitor().compare(tmp_path / "none", reference(package), DRIFT)


def test_files_that_are_no_profile_are_named_and_skipped(
    package: Path, scorer: Scorer, tmp_path: Path
) -> None:
    (tmp_path / "20300101T000000.000Z-1-a.bin").write_bytes(b"nonsense")
    with pytest.raises(StepError, match=r"20300101T000000\.000Z-1-a\.bin"):
        monitor().compare(tmp_path, reference(package), DRIFT)
    watching = monitor().observer(scorer.contract, tmp_path)
    watching.observe(*answered(scorer, rows(100)))
    watching.flush()
    (whole,) = (file for file in tmp_path.glob("*.bin") if not file.name.startswith("2030"))
    content = whole.read_bytes()
    cuts = range(0, len(content) - 1, len(content) // 25)
    for cut in cuts:
        (tmp_path / f"20310101T000000.000Z-{cut}-b.bin").write_bytes(content[:cut])
    report = monitor().compare(tmp_path, reference(package), DRIFT)
    assert report["rows"] == 100 and len(report["skipped"]) == len(cuts) + 1
    assert all("is no profile of whylogs" in line for line in report["skipped"])


def test_many_windows_and_processes_merged_equal_one_pass(scorer: Scorer, tmp_path: Path) -> None:
    from mlspec.plugins.monitor._whylogs_profiles import merge, read
    from mlspec.plugins.monitor._whylogs_seen import seen

    asked = rows(9000, seed=6)
    now = [0.0]
    writers = [observer(scorer.contract, tmp_path / "many", 60.0, lambda: now[0]) for _ in range(3)]
    for place in range(0, 9000, 500):
        now[0] = place / 20
        writers[place // 500 % 3].observe(*answered(scorer, asked[place : place + 500]))
    for writer in writers:
        writer.flush()
    whole = observer(scorer.contract, tmp_path / "one")
    whole.observe(*answered(scorer, asked))
    whole.flush()
    many = merge([read(file) for file in sorted((tmp_path / "many").glob("*.bin"))])
    one = merge([read(file) for file in (tmp_path / "one").glob("*.bin")])
    assert len(list((tmp_path / "many").glob("*.bin"))) > 8
    assert set(many.get_columns()) == set(one.get_columns())
    ages = np.array([row["age"] for row in asked if row["age"] is not None])
    points = np.quantile(ages, np.linspace(0.01, 0.99, 25))
    for merged in (many, one):
        age, town = seen(merged.get_column("age")), seen(merged.get_column("town"))
        assert (age.rows, age.nulls, town.nulls) == (9000, 900, 0)
        assert age.shares is not None and town.counts is not None
        below, upto = age.shares(points)
        exact = np.array([(ages < point).mean() for point in points])
        assert (
            np.abs(below - exact).max() <= age.rank_error
            and np.abs(upto - exact).max() <= age.rank_error + 1e-3
        )
        least, most = town.counts(["Bern", "Zürich", "", "unseen"])
        counted = [sum(row["town"] == name for row in asked) for name in ("Bern", "Zürich", "", "unseen")]
        assert least.tolist() == most.tolist() == counted


def test_a_sketch_tells_shares_below_and_up_to_a_value(scorer: Scorer, tmp_path: Path) -> None:
    from mlspec.plugins.monitor._whylogs_profiles import merge, read
    from mlspec.plugins.monitor._whylogs_seen import seen

    watching = observer(scorer.contract, tmp_path)
    watching.observe(*answered(scorer, [{**ROW, "age": age} for age in (1, 2, 2, 3, None)]))
    watching.flush()
    age = seen(merge([read(file) for file in tmp_path.glob("*.bin")]).get_column("age"))
    assert age.shares is not None and age.rank_error == 0.0
    below, upto = age.shares(np.array([0.5, 1.0, 2.0, 3.0, 9.0]))
    assert below.tolist() == [0.0, 0.0, 0.25, 0.75, 1.0] and upto.tolist() == [0.0, 0.25, 0.75, 1.0, 1.0]


def test_more_values_than_a_sketch_holds_have_honest_bounds(scorer: Scorer, tmp_path: Path) -> None:
    from mlspec.plugins.monitor._whylogs_profiles import merge, read
    from mlspec.plugins.monitor._whylogs_seen import seen

    names = [f"town {i % 5000}" for i in range(20_000)] + ["Bern"] * 4000
    watching = observer(scorer.contract, tmp_path)
    watching.observe(*answered(scorer, [{**ROW, "town": name} for name in names]))
    watching.flush()
    town = seen(merge([read(file) for file in tmp_path.glob("*.bin")]).get_column("town"))
    assert town.counts is not None
    least, most = town.counts(["Bern", "town 7", "nowhere"])
    for low, high, true in zip(least, most, (4000, 4, 0), strict=True):
        assert low <= true <= high
    assert most[0] - least[0] < 24_000 * 0.005


def test_long_and_strange_texts_are_kept_apart_and_short(scorer: Scorer, tmp_path: Path) -> None:
    from mlspec.plugins.monitor._whylogs_profiles import merge, read
    from mlspec.plugins.monitor._whylogs_seen import seen

    texts = ["x" * 1_000_000 + "a", "x" * 1_000_000 + "b", "", "é", "e\u0301", "\U0001f600", "x" * 100]
    watching = observer(scorer.contract, tmp_path)
    watching.observe(*answered(scorer, [{**ROW, "town": text} for text in texts]))
    watching.flush()
    (file,) = tmp_path.glob("*.bin")
    assert file.stat().st_size < 1_000_000
    town = seen(merge([read(file)]).get_column("town"))
    assert town.counts is not None and town.counts(texts)[0].tolist() == [1.0] * 7


def test_a_version_of_the_model_is_written_into_its_profiles(scorer: Scorer, tmp_path: Path) -> None:
    from mlspec.plugins.monitor._whylogs_profiles import read

    watching = observer(scorer.contract, tmp_path)
    watching.observe(*answered(scorer, [ROW]))
    watching.flush()
    watching.flush()
    (file,) = tmp_path.glob("*.bin")
    assert read(file).metadata["mlspec.model_version"] == "v1"


def test_whylogs_itself_reads_the_profiles(scorer: Scorer, tmp_path: Path) -> None:
    from whylogs.core.view import DatasetProfileView

    watching = observer(scorer.contract, tmp_path)
    watching.observe(*answered(scorer, rows(100)))
    watching.flush()
    (file,) = tmp_path.glob("*.bin")
    table = DatasetProfileView.read(str(file)).to_pandas()
    assert table.loc["age", "counts/n"] == 100 and table.loc["age", "counts/null"] == 10
    ages = [row["age"] for row in rows(100) if row["age"] is not None]
    assert table.loc["age", "distribution/mean"] == pytest.approx(np.mean(ages))


def test_a_killed_writer_leaves_whole_profiles(package: Path, scorer: Scorer, tmp_path: Path) -> None:
    script = textwrap.dedent(
        f"""
        from pathlib import Path
        from mlspec.engine.serving.rows import to_batch
        from mlspec.engine.scoring.scorer import Scorer
        from mlspec.sdk.slot import Slot
        from tests.tiny_package import rows

        scorer = Scorer(Path({str(package / "model.onnx")!r}))
        watching = Slot("monitor").choose({{"kind": "whylogs", "of": "online"}}).observer(
            scorer.contract, Path({str(tmp_path)!r}))
        batch = to_batch(rows(100), scorer.contract)
        answers = scorer.score(batch)
        turn = 0
        while True:
            watching.observe(batch, answers)
            watching.flush()
            turn += 1
            print(turn, flush=True)
        """
    )
    root = Path(__file__).resolve().parents[3]
    writer = subprocess.Popen(
        [sys.executable, "-c", script], cwd=root, env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert writer.stdout is not None
    for _ in range(15):
        turn = int(writer.stdout.readline())
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    report = monitor().compare(tmp_path, reference(package), DRIFT)
    assert report["rows"] >= 100 * turn and report["rows"] % 100 == 0


def test_since_leaves_out_windows_that_ended_before(package: Path, scorer: Scorer, tmp_path: Path) -> None:
    now = [0.0]
    watching = observer(scorer.contract, tmp_path, 60.0, lambda: now[0])
    for place in range(3):
        now[0] = place * 60.0
        watching.observe(*answered(scorer, rows(100 + place)))
    watching.flush()

    def seen(since: float | None) -> tuple[int, int, str]:
        report = monitor().compare(tmp_path, reference(package), DRIFT, since)
        return report["rows"], report["windows"], report["since"]

    assert seen(None) == seen(59.0) == (303, 3, "1970-01-01T00:00:00Z")
    assert seen(60.0) == seen(119.0) == (203, 2, "1970-01-01T00:01:00Z")
    assert seen(179.0) == (102, 1, "1970-01-01T00:02:00Z")
    with pytest.raises(MissingError, match=r"no rows since 1970-01-01T00:03:00Z.*ended 1970-01-01T00:03:00Z"):
        seen(180.0)


def test_a_profile_of_metrics_that_nobody_knows_is_skipped_too(scorer: Scorer, tmp_path: Path) -> None:
    from mlspec.plugins.monitor._whylogs_profiles import read

    watching = observer(scorer.contract, tmp_path)
    watching.observe(*answered(scorer, rows(10)))
    watching.flush()
    (file,) = tmp_path.glob("*.bin")
    content = file.read_bytes()
    assert b"counts" in content
    file.write_bytes(content.replace(b"counts", b"mounts"))
    with pytest.raises(StepError, match="is no profile of whylogs"):
        read(file)


def test_each_window_is_told_for_itself_and_all_of_them_together(
    package: Path, scorer: Scorer, tmp_path: Path
) -> None:
    times = [1_800_000_000.0]
    watching = observer(scorer.contract, tmp_path, clock=lambda: times[0])
    old = [{**row, "age": 95.0} for row in rows(500, seed=8)]
    for asked in (rows(500, seed=6), old, rows(20, seed=7)):
        watching.observe(*answered(scorer, asked))
        times[0] += 3600
    watching.flush()
    whole = monitor().compare(tmp_path, reference(package), DRIFT)
    report = monitor().compare(tmp_path, reference(package), DRIFT, by_window=True)
    first, second, third = report.pop("by_window")
    assert report == whole and "by_window" not in whole
    assert [one["rows"] for one in (first, second, third)] == [500, 500, 20]
    assert (first["verdict"], first["columns"]) == ("stable", [])
    assert second["verdict"] == "drift" and "age" in second["columns"]
    assert third["verdict"] == "too_few_rows"
    assert second["since"] == first["until"] == "2027-01-15T09:00:00Z"


def chosen(package: Path, column: str, **method: Any) -> dict[str, Any]:
    return with_methods(reference(package), {column: method})


def age(report: dict[str, Any]) -> dict[str, Any]:
    return next(column for column in report["columns"] if column["column"] == "age")


def test_values_are_kept_where_they_are_asked_for(package: Path, scorer: Scorer, tmp_path: Path) -> None:
    asked = Slot("monitor").choose({"kind": "whylogs", "of": "online", "sample": 300})
    assert isinstance(asked, Monitor)
    for seed in (3, 4):
        watching = asked.observer(scorer.contract, tmp_path)
        watching.observe(*answered(scorer, rows(1000, seed=seed)))
        watching.flush()
    ranked = chosen(package, "age", method="mann_whitney")
    found = age(asked.compare(tmp_path, ranked, DRIFT))
    assert (found["test"], found["sampled"], found["rows"]) == ("mann_whitney", 300, 2000)
    assert found["verdict"] == "stable"
    first = min(tmp_path.glob("*.parquet"))
    first.unlink()
    report = asked.compare(tmp_path, ranked, DRIFT)
    assert age(report)["test"] == "kolmogorov_smirnov"
    assert report["skipped"] == [
        "values were sampled beside 1 of 2 profiles only: sketches are compared instead"
    ]


def test_the_sample_of_many_windows_is_one_of_all_their_rows(scorer: Scorer, tmp_path: Path) -> None:
    from mlspec.engine.watching.samples import Samples

    registry.find("monitor", "whylogs")
    from mlspec.plugins.monitor._whylogs_observer import WhylogsObserver

    now = [0.0]
    watching = WhylogsObserver(scorer.contract, tmp_path, 60.0, sample=400, clock=lambda: now[0], seed=5)
    for window, (count, value) in enumerate([(900, 1.0), (100, 2.0)]):
        now[0] = window * 60.0
        for _ in range(10):
            watching.observe(*answered(scorer, [{**ROW, "age": value}] * count))
    watching.flush()
    values = Samples.merged(sorted(tmp_path.glob("*.parquet")))
    assert set(values) == {"age", "mlspec/probability_no", "mlspec/probability_>yes"}
    assert len(values["age"]) == 400 and (values["age"] == 2.0).mean() == pytest.approx(0.1, abs=0.06)


def test_a_distance_is_told_from_its_threshold_on(package: Path, scorer: Scorer, tmp_path: Path) -> None:
    watching = monitor().observer(scorer.contract, tmp_path)
    older = [{**row, "age": None if row["age"] is None else row["age"] + 5} for row in rows(3000, seed=3)]
    watching.observe(*answered(scorer, older))
    watching.flush()
    for threshold, verdict in ((4.0, "drift"), (6.0, "stable")):
        known = chosen(package, "age", method="wasserstein", threshold=threshold)
        found = age(monitor().compare(tmp_path, known, DRIFT))
        assert (found["verdict"], found["p"], found["threshold"]) == (verdict, None, threshold)
        assert found["effect"] == pytest.approx(5.0, abs=0.6)


def test_a_method_of_a_column_that_the_model_lacks_is_refused(package: Path) -> None:
    with pytest.raises(UsageError, match="takes no column 'agee'") as caught:
        chosen(package, "agee", method="mann_whitney")
    assert caught.value.fix == "did you mean 'age'?"


def test_windows_with_too_few_rows_are_told_and_whether_the_service_was_up(
    package: Path, scorer: Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_800_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    asked: Any = Slot("monitor").choose({"kind": "whylogs", "of": "online", "every": "1m", "min_rows": 10})
    watching = observer(scorer.contract, tmp_path, 60.0, lambda: now[0])
    for count in (30, 4, 0):  # the third minute hears nothing
        if count:
            watching.observe(*answered(scorer, rows(count)))
        watching.flush()
        now[0] += 60
    now[0] += 60  # nobody is there in the fourth
    watching = observer(scorer.contract, tmp_path, 60.0, lambda: now[0])
    watching.observe(*answered(scorer, rows(5)))
    watching.flush()
    found = asked.compare(tmp_path, reference(package), DRIFT)["quiet"]
    assert [(one["rows"], one["up"]) for one in found] == [(4, True), (0, True), (0, False)]
    assert found[0]["since"] == "2027-01-15T08:01:00Z" and found[-1]["until"] == "2027-01-15T08:04:00Z"
    late = asked.compare(tmp_path, reference(package), DRIFT, since=now[0] - 60)["quiet"]
    assert [one["up"] for one in late] == [False]
    assert "quiet" not in monitor().compare(tmp_path, reference(package), DRIFT)
    now[0] += 600
    with pytest.raises(MissingError, match=r"no rows since.*windows saw fewer than 10 rows"):
        asked.compare(tmp_path, reference(package), DRIFT, since=now[0] - 200)


def test_a_service_that_heard_nothing_leaves_no_row_to_compare(
    package: Path, scorer: Scorer, tmp_path: Path
) -> None:
    now = [0.0]
    watching = observer(scorer.contract, tmp_path, 60.0, lambda: now[0])
    now[0] = 61.0
    watching.flush()
    assert len(list(tmp_path.glob("*.bin"))) == 1
    with pytest.raises(MissingError, match="no row was observed yet"):
        monitor().compare(tmp_path, reference(package), DRIFT)
