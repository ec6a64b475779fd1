"""What `dvc plots show` draws of an evaluation."""

from __future__ import annotations

from typing import Any

from mlspec.plan.plan import Plan, Step

CURVES: dict[str, dict[str, dict[str, str]]] = {
    "binary": {
        "roc": {"x": "false_positive_rate", "y": "true_positive_rate"},
        "precision_recall": {"x": "recall", "y": "precision"},
        "calibration": {"x": "said", "y": "seen"},
        "confusion": {"x": "predicted", "y": "actual", "template": "confusion"},
    },
    # A curve a class, and DVC joins all points of a file by one line: so points alone.
    "category": {
        "roc": {"x": "false_positive_rate", "y": "true_positive_rate", "template": "scatter"},
        "precision_recall": {"x": "recall", "y": "precision", "template": "scatter"},
        "calibration": {"x": "said", "y": "seen", "template": "scatter"},
        "confusion": {"x": "predicted", "y": "actual", "template": "confusion"},
    },
    # Against the prediction: against the truth, even a perfect model of a noisy target slopes.
    "number": {"residuals": {"x": "predicted", "y": "residual", "template": "scatter"}},
}
"""The files under `plots/` that can be drawn for each kind of target, and how."""


def plots(plan: Plan, step: Step, root: str) -> list[dict[str, Any]]:
    """Return the entries of dvc.yaml for the curves that an evaluation writes.

    Args:
        plan: Tells the kind of target.
        step: An `evaluate-<name>` step.
        root: The workspace, as dvc.yaml sees it.
    """
    kind = plan.step("ingest").parameters["data"]["target"]["kind"]
    export = step.name.partition("-")[2]
    return [
        {
            f"{root}/{step.output}/plots/{name}.json": {
                **options,
                "title": f"{export}: {name.replace('_', ' ')}",
            }
        }
        for name, options in CURVES[kind].items()
    ]
