"""How hard the fuzz tests try: the same examples each time, unless more are asked for.

KEEPWELL_FUZZ=50 pytest tests/integration/fuzz     # fifty times as many, and other ones in each run
"""

import os
from typing import Final

from hypothesis import HealthCheck, settings

TIMES: Final = int(os.environ.get("KEEPWELL_FUZZ", "1"))


def tries(examples: int, *, steps: int = 30) -> settings:
    """Return the settings of a fuzz test; what fails is printed with the blob that brings it back.

    Args:
        examples: how many are tried; more when `KEEPWELL_FUZZ` asks for more.
        steps: of a state machine, in each example.
    """
    return settings(
        max_examples=examples * TIMES,
        stateful_step_count=steps,
        derandomize=TIMES == 1,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
