"""Keys under the names that other libraries have for them."""

from __future__ import annotations

from collections.abc import Mapping

from mlspec.compose.composed import at
from mlspec.compose.document import KeyPath
from mlspec.spec.levels import homes

KNOWN_AS: Mapping[str, tuple[str, ...]] = {
    "seed": ("random_seed", "random_state"),
    "data.split.val": ("val_size", "val_split", "validation_fraction", "validation_split"),
    "sweep": ("hpo", "hyperparameter_search", "search", "tune", "tuning"),
    "hardware.accelerator": ("device", "device_type"),
    "hardware.devices": (
        "device", "device_count", "gpu", "gpus", "n_devices", "n_gpus", "ngpus", "nproc_per_node",
        "num_devices", "num_gpus", "num_processes", "num_workers", "processes", "workers", "world_size",
    ),
    "hardware.nodes": ("machines", "n_nodes", "nnodes", "num_machines", "num_nodes"),
    "hardware.precision": ("amp", "bf16", "dtype", "fp16", "half", "mixed_precision"),
    "hardware.strategy": ("backend", "distributed", "distributed_backend", "parallelism"),
    "training.epochs": (
        "iterations", "max_epochs", "max_steps", "n_epochs", "num_epochs", "num_train_epochs", "steps",
    ),
    "training.batch_size": ("batch", "bs", "per_device_train_batch_size", "train_batch_size"),
    "training.loss": ("criterion", "loss_fn", "loss_function", "objective"),
    "training.optimizer.lr": ("learning_rate",),
    "training.optimizer.weight_decay": ("l2", "wd"),
    "training.schedule": ("lr_schedule", "lr_scheduler", "scheduler"),
    "training.class_weights": ("class_weight", "pos_weight"),
    "training.sampling": ("oversample", "oversampling", "sampler", "weighted_sampling"),
    "training.accumulate": (
        "accumulate_grad_batches", "accumulation_steps", "grad_accum", "gradient_accumulation",
        "gradient_accumulation_steps",
    ),
    "training.clip_norm": (
        "clip_grad_norm", "grad_clip", "gradient_clip_val", "gradient_clipping", "max_grad_norm",
    ),
    "training.activation_checkpointing": ("gradient_checkpointing",),
    "training.checkpoint.every": ("checkpoint_every", "save_every", "save_steps"),
    "sweep.trials": (
        "budget", "count", "max_trials", "n_iter", "n_trials", "num_samples", "num_trials", "runs",
    ),
    "sweep.metric": ("metrics", "monitor", "objective"),
    "sweep.sampler": ("algo", "algorithm", "method", "search", "search_alg"),
    "sweep.pruner": ("early_stopping", "early_terminate", "pruning", "scheduler"),
    "sweep.parallel": (
        "concurrency", "jobs", "max_concurrent", "max_parallel", "n_jobs", "num_workers", "processes",
        "workers",
    ),
    "sweep.parameters": (
        "grid", "hyperparameters", "param_grid", "param_space", "params", "search_space", "space",
    ),
    "sweep.parameters.*.low": ("from", "lower", "min", "minimum", "start"),
    "sweep.parameters.*.high": ("end", "max", "maximum", "to", "upper"),
    "sweep.parameters.*.log": ("distribution", "log_scale", "scale"),
    "sweep.parameters.*.choices": ("among", "categories", "options", "values"),
}  # fmt: skip
"""The key, to other names of it. A key of `sweep` is meant inside of `sweep` alone."""
NEEDLESS: Mapping[str, Mapping[str, str]] = {
    "training": dict.fromkeys(
        ("num_workers", "pin_memory", "workers"), "encoded rows are read without workers, ahead of training"
    )
    | {"shuffle": "rows come in another order in each epoch, drawn from 'seed'"},
    "hardware": dict.fromkeys(
        ("cores", "cpu_threads", "num_threads", "threads"),
        "all cores are used, or as many as OMP_NUM_THREADS says",
    ),
    "sweep": dict.fromkeys(("direction", "goal", "mode"), "a metric knows which way is better")
    | dict.fromkeys(("storage", "study_name"), "trials are kept in the workspace")
    | dict.fromkeys(("time_budget", "timeout"), "a sweep may be stopped at any time, and goes on from there"),
}
"""Names of a section that stand for nothing here, and why that is."""
ASIDE = frozenset(("model", "training", "hardware"))
"""Sections in which keys of the others are looked for."""


def known_as(path: KeyPath, tree: Mapping[str, object]) -> str | None:
    """Return the mend for a word from elsewhere; None where it is none.

    Args:
        path: The unknown key's.
        tree: The composed tree: kinds named in it say which plug-ins are chosen.

    Example:
        >>> known_as(("training", "learning_rate"), {"model": {"kind": "mlp"}})
        "did you mean 'training.optimizer.lr'?"
        >>> known_as(("training", "learning_rate"), {"model": "gradient_boosting"})
        >>> known_as(("sweep", "workers"), {})
        "did you mean 'parallel'?"
        >>> known_as(("sweep", "direction"), {})
        'take it out: a metric knows which way is better'
    """
    word, section = str(path[-1]), str(path[0])
    meant = [key for key, names in KNOWN_AS.items() if word in names]
    here = [key for key in meant if _level(key) == _pattern(path)]
    if here:
        names = [key.rpartition(".")[2] for key in here]
        free = [name for name in names if at(tree, (*path[:-1], name)) is None]
        return _mend(free) if free else f"'{names[0]}' stands here already; remove one of the two"
    if len(path) == 2 and word in NEEDLESS.get(section, {}):
        return f"take it out: {NEEDLESS[section][word]}"
    if not meant or _is_option(word, tree):
        return None
    within = [key for key in meant if key.startswith(f"{section}.")]
    aside = [key for key in meant if not key.startswith("sweep.")]
    found = within or (aside if len(path) == 1 or section in ASIDE else [])
    return _mend(found) if found else None


def _level(key: str) -> tuple[str, ...]:
    return tuple(key.split("."))[:-1]


def _pattern(path: KeyPath) -> tuple[str, ...]:
    """Return the level of a path as the table writes it: a name of the user's is a star."""
    steps = tuple(str(step) for step in path[:-1])
    return (*steps[:2], "*", *steps[3:]) if steps[:2] == ("sweep", "parameters") and steps[2:] else steps


def _mend(names: list[str]) -> str:
    quoted = " or ".join(f"'{name}'" for name in names)
    return f"did you mean {quoted}?"


def _is_option(word: str, tree: Mapping[str, object]) -> bool:
    """Return whether a chosen plug-in has an option of that name: then the option is meant."""
    for home in homes():
        if home.key == word and home.kind is not None:
            value = at(tree, tuple(home.parent.split(".")))
            if home.kind == (value.get("kind") if isinstance(value, Mapping) else value):
                return True
    return False
