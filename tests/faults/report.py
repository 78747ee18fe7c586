"""A round's account, as a table and as JSON."""

from collections import Counter
from typing import Any

from tests.faults.round import Result


def as_json(result: Result) -> dict[str, Any]:
    """Return the account for programs."""
    verdict, plan = result.verdict, result.plan
    return {
        "seed": plan.seed,
        "minutes": plan.minutes,
        "patients": plan.patients,
        "profile": plan.profile,
        "brokers": plan.brokers,
        "wall_seconds": round(result.seconds, 1),
        "clean": result.clean,
        "faults": result.faults,
        "faults_by_target": dict(sorted(Counter(fault.target for fault in result.record.faults).items())),
        "counts": result.counts,
        "reminders": {
            "must": verdict.must,
            "must_not": verdict.must_not,
            "either": verdict.either,
            "accepted": verdict.reminders,
            "accepted_after_the_answer_in_bounds": verdict.in_flight,
            "overtaken_after_a_refused_or_unknown_call": verdict.overtaken,
            "left_out_as_nothing_arrives_there": verdict.unreached,
            "slowest_seconds": round(verdict.slowest, 1),
        },
        "verdict": verdict.counts(),
        "findings": [f"{finding.what} {finding.number}: {finding.why}" for finding in verdict.findings],
        "flaws": result.flaws,
    }


def as_table(result: Result) -> str:
    """Return the account for people."""
    told = as_json(result)
    size = f"{told['minutes']} min of reminders, {told['patients']} patients, {told['brokers']} broker(s)"
    lines = [f"seed {told['seed']}: {size}, provider {told['profile']}, {told['wall_seconds']} s in all", ""]
    for title in ("faults", "faults_by_target", "counts", "reminders", "verdict"):
        lines.append(title.replace("_", " "))
        lines += [f"  {name.replace('_', ' '):<44}{count:>8}" for name, count in told[title].items()]
    lines += [f"FINDING {finding}" for finding in told["findings"][:40]]
    lines += [f"FLAW {flaw}" for flaw in told["flaws"][:40]]
    lines += [
        "",
        "clean" if result.clean else f"NOT CLEAN: {len(told['findings'])} findings, {len(told['flaws'])} flaws",
    ]
    return "\n".join(lines)
