"""The sandbox as the provider, in a process of its own: `python -m tests.faults.provider --help`.

Its ledger is a file, so that a provider that is killed has forgotten nothing of what it accepted.
"""

import argparse
from pathlib import Path

import uvicorn

from services.sandbox import service as sandbox
from services.sandbox.model.profiles import Profile
from services.sandbox.settings import SandboxSettings
from shared.clock import RealClock
from shared.telemetry.log import configure

ACCOUNT = "AC" + "0" * 32
SECRET = "made-up-secret"
PHONE = "+15005550006"


def main() -> None:
    """Serve on loopback until a signal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="where the ledger lies")
    parser.add_argument("--profile", type=Profile, default=Profile.ROUGH)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--inbound", required=True, help="the webhook for texts from handsets")
    chosen = parser.parse_args()
    configure(level="WARNING")
    built = sandbox.build(
        SandboxSettings(
            account_sid=ACCOUNT,
            auth_token=SECRET,
            data_dir=chosen.folder,
            phone=PHONE,
            inbound_url=chosen.inbound,
            profile=chosen.profile,
            seed=chosen.seed,
            hang_seconds=12,
            webhook_budget=8,
        ),
        RealClock(),
    )
    uvicorn.run(
        built.app,
        host="127.0.0.1",
        port=chosen.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()
