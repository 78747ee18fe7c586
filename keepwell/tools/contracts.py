"""Write the contracts that others build on: `python -m keepwell.tools.contracts [--release]`.

`docs/contracts` holds a JSON Schema for each event, the AsyncAPI and the OpenAPI document, all generated.
`released.json` holds the schemas as they were last released; it changes only with `--release`, and what would break a
reader is refused.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from keepwell.host import registry
from keepwell.host.app import VERSION, application
from keepwell.host.engine import Engine
from shared.clock import RealClock
from shared.database import Database
from shared.events import EVENTS
from shared.events.schemas import asyncapi, breaks, file_name, schema_of
from shared.protection import Keyring
from shared.service import Context, Provider, Service
from shared.settings import SERVICES, Settings
from shared.web.client import ServiceClient
from shared.web.outgoing import Lazily
from shared.web.tokens import Tokens

FOLDER: Final = Path(__file__).parents[2] / "docs" / "contracts"
RELEASED: Final = "released.json"
NOWHERE: Final = Provider("http://127.0.0.1:9", None, "", "", None, 0, "", None, None, "none")


def documents() -> dict[str, Any]:
    """Return every generated document by its path below `docs/contracts`."""
    found: dict[str, Any] = {f"events/{file_name(event)}": schema_of(event) for event in EVENTS}
    found["asyncapi.json"] = asyncapi(VERSION)
    found["openapi.json"] = openapi()
    return found


def openapi() -> dict[str, Any]:
    """Return the OpenAPI document of all services together; nothing is connected to."""
    keyring = Keyring.from_text(Keyring.generate())
    tokens = Tokens(keyring)
    services = blank_services(tokens)
    engine = Engine(services, kafka="127.0.0.1:9", clock=RealClock(), instance=None, stop_seconds=1)
    app = application(services, engine, keyring=keyring, tokens=tokens, kafka="127.0.0.1:9", trial=None)
    document: dict[str, Any] = app.openapi()
    return document


def blank_services(tokens: Tokens) -> list[Service]:
    """Return every service as it is built, with nothing behind it: to ask what it offers and what it listens to."""
    keyring = Keyring.from_text(Keyring.generate())
    services: list[Service] = []
    http = Lazily()
    for name in SERVICES:
        database = Database("postgresql://nobody@127.0.0.1:9/none", schema=name, clock=RealClock())
        context = Context(
            settings=Settings(),
            clock=RealClock(),
            keyring=keyring,
            database=database,
            tokens=tokens,
            http=http,
            client=ServiceClient(http, {}, tokens),
            public_url="http://127.0.0.1:8080",
            provider=NOWHERE,
            hosted=frozenset(SERVICES),
        )
        services.append(registry.module(name).build(context))
    return services


def rendered(document: Any) -> str:
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def released() -> dict[str, Any]:
    """Return the released schemas by file name."""
    file = FOLDER / RELEASED
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return found


def broken() -> list[str]:
    """Return what a reader of the released events could not read any more."""
    then = released()
    return [
        f"{file_name(event)}: {what}"
        for event in EVENTS
        if file_name(event) in then
        for what in breaks(then[file_name(event)], schema_of(event))
    ]


async def write(*, release: bool) -> int:
    """Write the documents; return an exit code."""
    if found := broken():
        sys.stderr.write("These changes break a reader; raise SCHEMA of the event:\n" + "\n".join(found) + "\n")
        return 1
    generated = documents()
    for stale in (FOLDER / "events").glob("*.json"):
        stale.unlink()
    for path, document in generated.items():
        file = FOLDER / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(rendered(document), encoding="utf-8")
    if release:
        schemas = released() | {file_name(event): schema_of(event) for event in EVENTS}
        (FOLDER / RELEASED).write_text(rendered(schemas), encoding="utf-8")
    return 0


def main() -> None:
    import uvloop  # noqa: PLC0415 - only the command needs a loop

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--release", action="store_true", help="what is generated now is what readers rely on")
    raise SystemExit(uvloop.run(write(release=parser.parse_args().release)))


if __name__ == "__main__":
    main()
