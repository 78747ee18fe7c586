"""`keepwell` as the torment starts it: `python -m tests.faults.launch up notifier`, armed where a variable says so.

Most starts have nothing planted, and what plants loads every service: 1.5 s of processor, more than the start itself.
"""

import os

from keepwell.__main__ import main

if __name__ == "__main__":
    if any(name.startswith("FAULTS_") for name in os.environ):
        from tests.faults.armed import arm

        arm()
    main()
