"""The seed of everything that is drawn by lot here; IOTISTIC_SEED repeats a run."""

from __future__ import annotations

import os
import random

SEED = int(os.environ.get("IOTISTIC_SEED") or random.randrange(1_000_000))
FULL = os.environ.get("IOTISTIC_FULL") == "1"
