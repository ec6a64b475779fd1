"""Strict rows in, answers out: the web application and the package around it."""
