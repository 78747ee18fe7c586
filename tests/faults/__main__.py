"""Run a round of any length: `python -m tests.faults --minutes 60 --seed 7`."""

import argparse
import asyncio
import json
from dataclasses import replace
from pathlib import Path

from shared.clock import RealClock
from tests.faults.report import as_json, as_table
from tests.faults.round import GREAT, Least, Plan, run


def main() -> int:
    """Run a round; return 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=3, help="waves of reminders, one a minute")
    parser.add_argument("--seed", type=int, default=None, help="of load, faults and provider; by the clock if absent")
    parser.add_argument("--patients", type=int, default=200)
    parser.add_argument("--profile", default="rough", help="of the provider: calm, lively or rough")
    parser.add_argument("--brokers", type=int, default=1, choices=(1, 3))
    parser.add_argument("--calm", action="store_true", help="without the tormentor")
    parser.add_argument("--dense", action="store_true", help="twice the reminders, of which most stay")
    parser.add_argument("--stocked", action="store_true", help="most patients and sessions are there before it begins")
    parser.add_argument("--pause", type=float, nargs=2, default=(1.0, 4.0), help="seconds between two faults")
    for name in vars(Least()):
        parser.add_argument(f"--least-{name}", type=int, default=0, help=f"go on until there were so many {name}")
    parser.add_argument("--most", type=int, default=0, help="minutes after which it ends all the same")
    parser.add_argument("--great", action="store_true", help="200 kills and 20 thousand texts, whatever else is said")
    parser.add_argument("--json", type=Path, default=None, help="where to write the account")
    chosen = parser.parse_args()
    seed = chosen.seed if chosen.seed is not None else int(RealClock().now().timestamp()) % 100_000
    print(f"seed {seed}", flush=True)
    low, high = chosen.pause
    plan = Plan(
        seed=seed,
        minutes=chosen.minutes,
        patients=chosen.patients,
        profile=chosen.profile,
        brokers=chosen.brokers,
        torment=not chosen.calm,
        pause=(low, high),
        least=Least(**{name: getattr(chosen, f"least_{name}") for name in vars(Least())}),
        most=chosen.most,
        dense=chosen.dense,
        stocked=chosen.stocked,
    )
    if chosen.great:
        plan = replace(GREAT, seed=seed)
    result = asyncio.run(run(plan))
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(as_json(result), indent=2) + "\n", encoding="utf-8")
    print(as_table(result))
    return 0 if result.clean else 1


if __name__ == "__main__":
    raise SystemExit(main())
