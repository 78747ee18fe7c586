"""`keepwell` as the torment starts it: `python -m tests.faults.launch up notifier`, armed where a variable says so.

Most starts have nothing planted, and what plants loads every service: 1.5 s of processor, more than the start itself.
"""

import asyncio
import os
import signal
import sys
from types import FrameType

from keepwell.__main__ import main


def tell_tasks(_number: int, _frame: FrameType | None) -> None:
    """Write to the log what every task waits for: asked of a process that does not end."""
    for task in asyncio.all_tasks():
        task.print_stack(file=sys.stderr)
    sys.stderr.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, tell_tasks)
    if any(name.startswith("FAULTS_") for name in os.environ):
        from tests.faults.armed import arm

        arm()
    main()
