"""`keepwell doctor`: look for what is wrong, say what to do about it, leave with 1 if anything was found."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from keepwell.cli.output import FINDINGS, show
from keepwell.doctor.databases import databases
from keepwell.doctor.finding import Finding, Installation
from keepwell.doctor.held import held
from keepwell.doctor.kafka import topics
from keepwell.doctor.outside import outside
from keepwell.doctor.processes import processes
from shared.settings import Settings, names_and_fields

CHECKS: Final[tuple[Callable[[Installation], Awaitable[list[Finding]]], ...]] = (
    processes,
    databases,
    topics,
    outside,
    held,
)


def settings_table() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name, field in names_and_fields():
        default = "" if field.default_factory is not None or field.default is None else field.default
        rows.append({"setting": name, "default": str(default), "meaning": field.description or ""})
    return rows


async def examine(settings: Settings, *, as_json: bool) -> int:
    """Look at settings, processes, database, roles, schemas, topics, clocks, provider, webhooks and mail."""
    installation = Installation.of(settings)
    findings = [_settings(settings)]
    for check in CHECKS:
        findings += await check(installation)
    if as_json:
        show([vars(finding) for finding in findings], as_json=True)
    else:
        rows = [
            {"": "ok" if f.well else "!!", "what": f.what, "finding": f.detail, "remedy": f.remedy} for f in findings
        ]
        show(rows, as_json=False)
    return 0 if all(finding.well for finding in findings) else FINDINGS


def _settings(settings: Settings) -> Finding:
    """Look for what fits together and still does not do."""
    if settings.split and settings.keys is None:
        detail = "KEEPWELL_KEYS is not set: each process would make keys of its own and open nothing of the others"
        return Finding("settings", well=False, detail=detail, remedy="give every process the same KEEPWELL_KEYS_FILE")
    if settings.public_url is not None and settings.public_url.startswith("http://") and settings.live:
        detail = "KEEPWELL_PUBLIC_URL is not encrypted, and patients answer there"
        return Finding("settings", well=False, detail=detail, remedy="put a proxy with TLS before it, and say https://")
    return Finding("settings", well=True, detail="they fit together")
