"""How property tests run: the same examples each time, and no deadline that a busy machine could miss."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

PROPERTY = settings(derandomize=True, database=None, deadline=None)
"""Decorates a test of a function."""

PROCESS_PROPERTY = settings(
    PROPERTY,
    # the sidecar is shared by all examples on purpose; each example leaves it as it was
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""Decorates a test that asks a running sidecar."""
