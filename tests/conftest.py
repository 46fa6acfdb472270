"""What holds for every ring of tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Two shared cores may be busy with Spark: how long an example takes says nothing about the code.
settings.register_profile("gluebook", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gluebook")
