"""Encoded rows with a known signal: those of the contract of models."""

from mlspec.testing.planted import INPUTS, KINDS, hostile, planted, shards, target_of

__all__ = ["INPUTS", "KINDS", "hostile", "planted", "shards", "target_of"]
