"""How many inputs Hypothesis draws: few in `make test`, many in `make soak`."""

import os

from hypothesis import HealthCheck, settings

# Time limits on single inputs measure the machine's load, not the code.
settings.register_profile("test", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", settings.get_profile("test"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))
