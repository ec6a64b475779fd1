"""Spec to Plan: pure functions, no clock, no network, no data, no DVC."""
