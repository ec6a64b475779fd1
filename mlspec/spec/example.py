"""One spec with a value for each key of a section: the examples that editors and the reference show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

EXAMPLE: Mapping[str, Any] = {
    "apiVersion": "mlspec/v1",
    "name": "adult_income",
    "seed": 7,
    "data": {
        "name": "adult",
        "source": {"kind": "csv", "path": "data/adult.csv"},
        "key": ["person_id"],
        "weight": "survey_weight",
        "ignore": ["comment"],
        "event_time": {"column": "seen_at", "timezone": "Europe/Berlin"},
        "target": {"column": "income", "kind": "binary", "positive": ">50K", "threshold": "max_f1"},
        "features": {"age": "number", "workclass": {"kind": "category", "min_count": 10}},
        "split": {"kind": "random", "train": 0.7, "val": 0.1, "test": 0.2},
        "memory": "4GB",
        "max_rejects": 0.001,
    },
    "validation": {
        "contract": "contracts/adult.yaml",
        "rules": [{"kind": "in_range", "column": "age", "low": 17, "high": 90}],
    },
    "model": {"kind": "mlp", "hidden": [128, 128], "dropout": 0.1},
    "training": {
        "epochs": 20,
        "batch_size": 512,
        "optimizer": {"kind": "adamw", "lr": 0.001},
        "loss": {"kind": "focal", "gamma": 2.0},
        "schedule": {"kind": "one_cycle"},
        "early_stopping": {"metric": "auroc", "patience": 5},
        "class_weights": {"<=50K": 1.0, ">50K": 2.0},
        "sampling": "balanced",
        "accumulate": 2,
        "clip_norm": 1.0,
        "calibration": "temperature",
        "checkpoint": {"every": "10m"},
    },
    "hardware": {
        "accelerator": "cuda",
        "devices": 1,
        "nodes": 1,
        "precision": "fp32",
        "strategy": "single",
        "launcher": "local",
    },
    "evaluation": {
        "metrics": ["accuracy", "auroc", "log_loss"],
        "slices": ["sex"],
        "gates": [{"metric": "auroc", "at_least": 0.9}],
    },
    "exports": {"main": {"kind": "onnx", "parity": {"rows": 5000}}},
    "deployments": {"online": {"kind": "rest", "port": 3000}},
    "monitoring": {
        "monitors": {"live": {"kind": "whylogs", "of": "online", "every": "1h"}},
        "segments": ["workclass"],
        "drift": {
            "against": "reference",
            "false_alarms": 0.01,
            "smallest_effect": 0.2,
            "methods": {
                "age": "kolmogorov_smirnov",
                "workclass": {"method": "population_stability_index", "threshold": 0.2},
            },
        },
    },
    "sweep": {
        "trials": 40,
        "metric": "auroc",
        "sampler": "tpe",
        "pruner": "median",
        "parallel": 2,
        "parameters": {
            "model.dropout": {"low": 0.0, "high": 0.5, "step": 0.05},
            "training.optimizer.lr": {"low": 0.0001, "high": 0.1, "log": True},
            "model.hidden": {"choices": [[64], [128, 128]]},
        },
    },
}
"""A spec; `tests/spec/test_schema.py` holds it against the schema."""
