"""Settings of all tests: time decides nothing, a failing example can be run again from what is printed."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "attestlayer", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("attestlayer")
