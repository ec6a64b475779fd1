"""`gradient_boosting` against scikit-learn by hand on the same arrays: rows by processor second of `fit`.

    python benchmarks/boosting.py [--rows 100000] [--runs 11]

Ours fits the same learner through the plug-in and writes the ONNX graph; by hand it is `fit` alone. Both run
in turn on one thread. Results go to benchmarks/results/boosting.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def seconds(work: Callable[[], object]) -> float:
    """Return how long some work takes."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=11)
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT))

    import numpy as np
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    from mlspec.sdk.contract import FittedTarget, ModelInputs
    from mlspec.sdk.encoded import Encoded
    from mlspec.sdk.model import FitOptions
    from mlspec.sdk.slot import Slot

    random = np.random.default_rng(0)
    numbers = random.standard_normal((arguments.rows, 20)).astype(np.float32)
    codes = random.integers(2, 30, (arguments.rows, 8)).astype(np.int32)
    signal = numbers[:, 0] + np.sin(numbers[:, 1] * 2) * numbers[:, 2] + (codes[:, 0] % 3 == 0)
    truth = (signal + random.standard_normal(arguments.rows) > 0.5).astype(np.float64)
    train = Encoded(numbers, codes, truth)
    inputs = ModelInputs(numbers=20, sizes=(30,) * 8)
    target = FittedTarget(column="y", kind="binary", classes=("no", "yes"), counts=(1, 1))
    model = Slot("model").choose({"kind": "gradient_boosting"})
    options = FitOptions(seed=0, class_weights=None, threads=1)
    table = np.concatenate([numbers, codes.astype(np.float32)], axis=1)

    def ours() -> None:
        model.fit(train, None, inputs, target, options)

    def by_hand() -> None:
        with threadpool_limits(1, user_api="openmp"):
            HistGradientBoostingClassifier(random_state=0, early_stopping=False).fit(table, truth)

    ours(), by_hand()
    pairs = []
    for turn in range(arguments.runs):
        # Whoever goes first leaves a warm cache to the other.
        if turn % 2:
            hand = seconds(by_hand)
            pairs.append((seconds(ours), hand))
        else:
            pairs.append((seconds(ours), seconds(by_hand)))
    told = {
        "rows": arguments.rows,
        "ours_rows_per_second": round(arguments.rows / statistics.median(a for a, _ in pairs)),
        "by_hand_rows_per_second": round(arguments.rows / statistics.median(b for _, b in pairs)),
        "speed": round(statistics.median(b / a for a, b in pairs), 3),
        "pairs": [round(b / a, 3) for a, b in pairs],
    }
    print(json.dumps(told, indent=2))
    target_file = ROOT / "benchmarks" / "results" / "boosting.json"
    target_file.parent.mkdir(parents=True, exist_ok=True)
    target_file.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
