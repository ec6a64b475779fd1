"""Trainings of planted rows: those of the contract of models."""

from mlspec.testing.lessons import QUICK, exported, parameters, scores, trained

__all__ = ["QUICK", "exported", "parameters", "scores", "trained"]
