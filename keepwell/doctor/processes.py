"""The processes: do they run, and can they do their work?"""

from typing import Any

import aiohttp

from keepwell.doctor.finding import PATIENCE, Finding, Installation
from shared.settings import SERVICES


async def processes(installation: Installation) -> list[Finding]:
    """Ask the process of this data directory, and every service whose address is set."""
    settings = installation.settings
    addresses = {f"process {name}": getattr(settings, name).url for name in SERVICES}
    known = {what: url for what, url in addresses.items() if url is not None}
    if installation.running is not None:
        return [await _ask("process", installation.running.api)]
    if known:
        return [await _ask(what, url) for what, url in known.items()]
    if settings.split or settings.database_url is not None:
        return [
            Finding("process", well=True, detail="none runs in this data directory, and no service's address is set")
        ]
    detail = f"No Keepwell runs in {installation.directory.folder}"
    return [Finding("process", well=False, detail=detail, remedy="keepwell up")]


async def _ask(what: str, url: str) -> Finding:
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as http, http.get(f"{url}/readyz") as answer:
            told: dict[str, Any] = await answer.json(content_type=None)
            problems = list(told["problems"])
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
        detail = f"{url} does not answer as Keepwell does: {type(error).__name__}"
        return Finding(what, well=False, detail=detail, remedy="look at its log; start it again")
    if problems:
        return Finding(what, well=False, detail="; ".join(problems), remedy="see docs/runbook.md")
    # The process does its work, and yet a person has something to mend: alerts that reach nobody on call, for one.
    if notes := list(told.get("notes", [])):
        return Finding(what, well=False, detail="; ".join(notes), remedy="see docs/runbook.md")
    return Finding(what, well=True, detail=f"ready at {url}")
