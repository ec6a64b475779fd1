from mlspec.engine.serving.gathered import Gathered
from mlspec.engine.serving.rows import to_batch
from mlspec.sdk.contract import Contract
from tests.tiny_package import INPUTS, ROW, TARGETS

CONTRACT = Contract(name="tiny", target=TARGETS["binary"], inputs=INPUTS, outputs=())


def test_rows_put_together_are_the_batch_that_they_make_at_once() -> None:
    rows = [ROW, dict.fromkeys(ROW), {**ROW, "age": 7}, ROW]
    gathered = Gathered(CONTRACT)
    for row in rows:
        gathered.add([row])
    assert gathered.batch().equals(to_batch(rows, CONTRACT))
    assert gathered.batch().column("age").null_count == 1


def test_no_row_is_an_empty_batch_of_the_same_types() -> None:
    batch = Gathered(CONTRACT).batch()
    assert batch.num_rows == 0 and batch.schema == to_batch([], CONTRACT).schema
