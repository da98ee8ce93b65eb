"""How many examples hypothesis tries; `poe property` is the long run, with 20,000 of each."""

import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

settings.register_profile(
    "fimble",
    max_examples=int(os.environ.get("FIMBLE_PROPERTY_EXAMPLES", "500")),
    deadline=None,  # a busy machine is not a defect
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("fimble")

# Strategies are needed when a test module is imported, which is before any fixture.
sys.path.insert(0, str(Path(__file__).parent))
