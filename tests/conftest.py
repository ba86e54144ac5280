"""What holds for every test: how random input is made."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# How long an example takes says something about the machine only: tests run beside each other, and beside agents.
settings.register_profile("workbench", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("workbench")
