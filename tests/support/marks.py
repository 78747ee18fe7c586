"""Marks that a test plants where people write, and the search for them everywhere that somebody could steal."""

import asyncio
import base64
import json
import re
import subprocess
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import TopicPartition

from keepwell.backups import archive
from keepwell.backups.programs import restore_program
from services.sandbox.model.forms import Kind, read_forms
from shared.events import Topic
from shared.settings import SERVICES
from tests.support.clinic import Clinic

WORDS: Final = " spoke with them at home today"
_LETTERS: Final = "abcdefghij"
_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


def words_in(schema: Mapping[str, Any], document: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield the places of a body at which a caller may write any words."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from words_in(choice, document, path)
    for name, part in schema.get("properties", {}).items():
        yield from words_in(part, document, f"{path}/{name}")
    for part in (schema["items"],) if "items" in schema else schema.get("prefixItems", ()):
        yield from words_in(part, document, f"{path}/*")
    if schema.get("type") == "string" and not {"enum", "const", "format"} & schema.keys():
        yield path


def fields_of(document: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return every place of every body that a REST interface takes words at, each as its route and its path."""
    found = set()
    for route, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                schema = content["application/json"]["schema"]
                found |= {(f"{method.upper()} {route}", place) for place in words_in(schema, document)}
    return found


@dataclass
class Planter:
    """Fills in what people write, each field with a mark of its own, and remembers which was taken."""

    here: Clinic
    planted: dict[str, tuple[str, str]] = field(default_factory=dict)
    forms: set[tuple[str, str]] = field(default_factory=set)
    _made: int = 0

    def mark(self, where: tuple[str, str], given: str | None = None) -> str:
        """Return a mark that stands for a field."""
        self._made += 1
        made = given or "Zq" + "".join(_LETTERS[int(digit)] for digit in f"{self._made:03}") + "xv"
        self.planted[made] = where
        return made

    async def send(self, method: str, route: str, body: Any, **ids: str) -> Any:
        """Send an order, with a mark behind every text that begins with `~`; it must be taken.

        Args:
            method: of the call.
            route: as OpenAPI names it, below `/api/v1`.
            body: `~` alone becomes a mark, `~...` a mark with these words behind it.
            ids: for the names in the route.
        """
        name = f"{method} /api/v1{route}"
        key = self.mark((name, "Idempotency-Key"))
        status, answer = await self.here.keepwell.call(
            method, route.format(**ids), self._filled(body, name, ""), Idempotency_Key=key
        )
        assert status in {200, 201}, (name, status, answer)
        return answer

    def _filled(self, body: Any, name: str, path: str) -> Any:
        if isinstance(body, dict):
            return {each: self._filled(value, name, f"{path}/{each}") for each, value in body.items()}
        if isinstance(body, list):
            return [self._filled(value, name, f"{path}/*") for value in body]
        if isinstance(body, str) and body.startswith("~"):
            return self.mark((name, path)) + body[1:]
        return body

    async def look(self, path: str) -> str:
        """Look at a page of the console, and remember what can be written on it."""
        page = await self.here.desk.get(path)
        for form in read_forms(page):
            route = _ID.sub("{}", form.action or path.partition("?")[0])
            words = [one.name for one in form.fields if one.kind is Kind.WORDS]
            self.forms |= {(route, _ID.sub("{}", name)) for name in words}
        return page

    async def fill(self, path: str, action: str, **typed: str) -> None:
        """Fill in a form that stands on a page, as `send` does; it must be taken."""
        await self.look(path)
        route = _ID.sub("{}", action)
        filled = {name: self._filled(value, route, name) for name, value in typed.items()}
        status, page = await self.here.desk.submit(path, action, **filled)
        assert status == 200, (action, status, re.findall(r'class="(?:flaw|error)[^>]*>([^<]*)', page), page[:3000])

    def taken(self) -> set[tuple[str, str]]:
        """Return the fields that a mark was planted in."""
        return set(self.planted.values())


Found = dict[str, set[str]]
"""The places in which each mark was found."""


def look_for(marks: Iterable[str], text: str, place: str, found: Found) -> None:
    """Note which marks stand in a text, in whatever case."""
    low = text.lower()
    for mark in marks:
        if mark.lower() in low:
            found.setdefault(mark, set()).add(place)


async def in_database(url: str, marks: Iterable[str], found: Found) -> int:
    """Search every row of every table of every service; return how many rows there were."""
    rows = 0
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        tables = await connection.fetch(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY ($1)", list(SERVICES)
        )
        for schema, table in tables:
            for (row,) in await connection.fetch(f'SELECT to_jsonb(t)::text FROM "{schema}"."{table}" t'):
                rows += 1
                look_for(marks, row, f"{schema}.{table}", found)
    finally:
        await connection.close()
    return rows


async def in_kafka(servers: str, marks: Iterable[str], found: Found) -> int:
    """Search the raw records of every topic of ours, keys and headers too; return how many there were."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        described = await admin.describe_topics(sorted(map(str, Topic)))
    finally:
        await admin.close()
    parts = [TopicPartition(one["topic"], part["partition"]) for one in described for part in one["partitions"]]
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        ends, records = await consumer.end_offsets(parts), 0
        while any([await consumer.position(part) < ends[part] for part in parts]):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                for record in batch:
                    records += 1
                    raw = b"\n".join((record.key or b"", record.value or b"", *(value for _, value in record.headers)))
                    look_for(marks, raw.decode(errors="replace"), record.topic, found)
        first = await consumer.beginning_offsets(parts)
        assert records == sum(ends.values()) - sum(first.values()), "every record there is was read"
        return records
    finally:
        await consumer.stop()


def in_files(folder: Path, marks: Iterable[str], found: Found, *, but: Iterable[str] = ()) -> int:
    """Search the bytes of every file of a folder, but those below the folders named; return how many there were."""
    files = 0
    for file in sorted(folder.rglob("*")):
        inside = file.relative_to(folder)
        if file.is_file() and inside.parts[0] not in but:
            files += 1
            look_for(marks, file.read_bytes().decode("latin-1"), str(inside), found)
    return files


def in_backup(file: Path, scratch: Path, marks: Iterable[str], found: Found) -> int:
    """Search a backup as somebody does who has no keys; return how many characters its dump has."""
    with tarfile.open(file) as tar:
        tar.extractall(scratch, filter="data")
    manifest = json.loads((scratch / archive.MANIFEST).read_text())
    program = restore_program(manifest["postgres"], manifest["pg_dump"])
    dump = subprocess.run([program, "--file=-", scratch / archive.DUMP], check=True, capture_output=True)
    told = dump.stdout.decode()
    look_for(marks, told, "backup: dump", found)
    look_for(marks, (scratch / archive.MANIFEST).read_text(), "backup: manifest", found)
    for line in (scratch / archive.EVENTS).read_text().splitlines():
        said = json.loads(line)
        raw = [said["key"], said["value"], *(value for _, value in said["headers"])]
        look_for(marks, "\n".join(base64.b64decode(one or "").decode() for one in raw), "backup: events", found)
    assert not (scratch / archive.KEYS).exists(), "the backup is to be opened without its keys"
    return len(told)


async def everywhere(here: Clinic, folder: Path, scratch: Path, marks: Iterable[str]) -> Found:
    """Search all that lies on a machine, but what only the stand-ins for provider and mail keep."""
    found: Found = {}
    running = here.keepwell
    backup = scratch / "clinic.backup"
    code, output, complaint = await running.command("backup", str(backup), "--json")
    assert code == 0, (output, complaint)
    state = json.loads((folder / "running.json").read_text())
    assert await in_database(state["database_url"], marks, found) > 20
    assert await in_kafka(state["kafka"], marks, found) > 0
    async with running.http.get(f"{running.base}/metrics") as answer:
        look_for(marks, await answer.text(), "/metrics", found)
    assert await asyncio.to_thread(in_backup, backup, scratch / "opened", marks, found) > 10_000
    assert await asyncio.to_thread(in_files, folder, marks, found, but=("sandbox",)) > 100
    return found
