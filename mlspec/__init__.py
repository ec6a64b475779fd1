"""mlspec: one YAML file for the whole life of a model."""

from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "build_plan", "load_spec", "run_plan"]

_PUBLIC = {
    "load_spec": ("mlspec.spec.load", "load_spec"),
    "build_plan": ("mlspec.plan.build", "build_plan"),
    "run_plan": ("mlspec.run.walk", "run_plan"),
}


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'mlspec' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _PUBLIC[name]
    return getattr(import_module(module), attribute)
