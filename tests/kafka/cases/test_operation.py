"""What fails below a clinic, on processes split as in production: nothing goes out on what is stale, and it is said."""

import asyncio
import json
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from twilio.request_validator import RequestValidator

from services.clinic.authentication import COOKIE
from shared.clock import RealClock
from shared.events import Topic
from tests.faults.provider import ACCOUNT, PHONE, SECRET
from tests.faults.record import Order
from tests.faults.round import pages, read_ledger
from tests.faults.stage import Stage, staged
from tests.support.bench import eventually
from tests.support.frozen import family_of, frozen
from tests.support.pgbouncer import pooled
from tests.support.running import clean_environment, run_command

WHO_HELPS_STAFF = ("cannot reach its database", "What still works", "Whom to call", "988")
WHO_HELPS_A_PATIENT = ("This page does not work just now", "988", "+12025550100")
COMMANDS = (("migrate",), ("up", "scheduler"), ("doctor",))
SECONDS = 12
"""Within which a page says that the database stands still."""


@pytest.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with staged(KEEPWELL_PAGE_SECONDS="5") as there:
        yield there


async def delete_all(servers: str, topic: Topic) -> None:
    """Let Kafka forget everything that was said on a topic, as it does when the retention ends."""
    admin, consumer = AIOKafkaAdminClient(bootstrap_servers=servers), AIOKafkaConsumer(bootstrap_servers=servers)
    await admin.start()
    await consumer.start()
    try:
        (described,) = await admin.describe_topics([str(topic)])
        parts = [TopicPartition(described["topic"], part["partition"]) for part in described["partitions"]]
        ends = await consumer.end_offsets(parts)
        await admin.delete_records({part: RecordsToDelete(before_offset=end) for part, end in ends.items()})
    finally:
        await consumer.stop()
        await admin.close()


async def waiting_to_be_sent(stage: Stage, service: str) -> int:
    engine = create_async_engine(stage.deployment.database.url)
    try:
        async with engine.connect() as connection:
            counted = await connection.execute(text(f"SELECT count(*) FROM {service}.outbox WHERE due_at <= now()"))
            return int(counted.scalar_one())
    finally:
        await engine.dispose()


@pytest.mark.timeout(300)
async def test_a_removed_number_is_not_texted_since_the_log_had_a_gap(stage: Stage) -> None:
    deployment = stage.deployment
    number, patient, zone = await stage.patient()
    await stage.settled()
    notifier = deployment.members["notifier-1"]
    await notifier.end(signal.SIGTERM)
    now = RealClock().now()
    await stage.caller.order("PATCH", f"/patients/{patient}", {"contacts": []}, Order(now))

    async def sent() -> bool:
        return await waiting_to_be_sent(stage, "clinic") == 0

    await eventually(sent, seconds=60)
    await delete_all(deployment.kafka.bootstrap_servers, Topic.CLINIC)
    session = await stage.caller.order("POST", "/sessions", stage.booking(patient, zone), Order(now))
    await stage.due_now(session["id"])
    await notifier.start()
    await stage.until_state(number, "planned")
    notes = await notes_of(stage, "notifier-1")
    assert any("records of keepwell.clinic were gone before notifier had read them" in note for note in notes), notes
    assert any("keepwell retell" in note for note in notes)
    assert await stage.reminders(number) == 0, "nothing goes out on what may be stale"
    code, said = await retold(stage, "--json")
    assert (code, json.loads(said)["heard"]) == (0, True), said
    await stage.until_state(number, "withheld")
    assert await stage.reminders(number) == 0
    assert not any("keepwell retell" in note for note in await notes_of(stage, "notifier-1"))


async def notes_of(stage: Stage, name: str) -> list[str]:
    async with stage.http.get(f"{stage.deployment.members[name].url}/readyz") as answer:
        return list((await answer.json())["notes"])


async def retold(stage: Stage, *options: str) -> tuple[int, str]:
    """Run the command as an operator does; return how it ended and what it said."""
    folder = str(stage.deployment.folder / "migrate")
    own = clean_environment(**stage.deployment.settings, KEEPWELL_DATA_DIR=folder)
    code, said, complaint = await run_command("retell", *options, environment=own)
    assert "Traceback" not in complaint, complaint
    return code, said + complaint


async def open_alerts(stage: Stage, patient: str) -> list[Any]:
    found = await pages(stage.caller, "/alerts?state=open")
    return [one for one in found if one["patient"] == patient]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("words", ["i have the pills", "quiero suicidarme"])
async def test_a_cry_whose_record_was_lost_is_not_left_unread_once_all_was_told_anew(stage: Stage, words: str) -> None:
    number, patient, _ = await stage.patient()
    await stage.settled()
    assessments = stage.deployment.members["assessments"]
    await assessments.end(signal.SIGTERM)
    assert await handed_over(stage, stage.deployment.gateway, number, words) == 200

    async def sent() -> bool:
        return await waiting_to_be_sent(stage, "notifier") == 0

    await eventually(sent, seconds=60)
    await delete_all(stage.deployment.kafka.bootstrap_servers, Topic.MESSAGING)
    await assessments.start()
    assert any("records of keepwell.messaging were gone" in note for note in await notes_of(stage, "assessments"))
    assert await open_alerts(stage, patient) == [], "it was not told of"
    code, said = await retold(stage)
    assert (code, "heard by every service" in said) == (0, True), said

    async def raised() -> list[Any]:
        return await open_alerts(stage, patient)

    (alert,) = await eventually(raised, seconds=30)
    assert words in alert["cause"]
    assert await notes_of(stage, "assessments") == []
    code, said = await retold(stage, "--json")
    assert (code, json.loads(said)["gaps_closed"]) == (0, 0), "told once more, nothing is left to close"
    await stage.settled()
    assert len(await open_alerts(stage, patient)) == 1, "and nothing is raised twice"


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("KEEPWELL_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9", "Kafka does not answer"),
        ("KEEPWELL_DATABASE_URL", "postgresql://nobody:x@127.0.0.1:9/none", "PostgreSQL does not answer"),
    ],
)
async def test_a_telling_that_nobody_can_hear_says_so_in_one_line(
    stage: Stage, setting: str, value: str, words: str
) -> None:
    settings = {**stage.deployment.settings, setting: value}
    own = clean_environment(**settings, KEEPWELL_DATA_DIR=str(stage.deployment.folder / "migrate"))
    for command in (("retell",), ("dead-letters", "list"), ("held", "list")):
        code, said, complaint = await run_command(*command, environment=own)
        told = said + complaint
        assert "Traceback" not in told, command
        if command[0] == "retell" or code != 0:
            assert code == 2, command
            assert (words in told, setting in told) == (True, True), told
            assert len(told.strip().splitlines()) == 1, told


async def handed_over(stage: Stage, door: str, number: str, words: str) -> int:
    """Hand a text over at a door as the provider does, signed over the public address, on a connection of its own."""
    path = "/webhooks/twilio/inbound"
    form = {"MessageSid": f"SM{uuid4().hex}", "From": number, "To": PHONE, "Body": words, "AccountSid": ACCOUNT}
    signature = RequestValidator(SECRET).compute_signature(stage.deployment.gateway + path, form)
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as http,
        http.post(door + path, data=form, headers={"X-Twilio-Signature": signature}) as answer,
    ):
        return answer.status


TRIPLES = 80
AT_ONCE = 20
APART = (0.005, 0.05)
LAST_WORDS = (("STOP", "START", "STOP"), ("Alto", "start", "ALTO"), ("unsubscribe", "UNSTOP", "please stop texting me"))


@pytest.mark.timeout(400)
async def test_the_last_word_is_stop_whichever_of_two_processes_hears_it(stage: Stage) -> None:
    now, chance = RealClock().now(), random.Random(2)  # noqa: S311 - order, not secrets
    second = await stage.deployment.add_notifier()
    doors = (stage.deployment.gateway, stage.deployment.members["notifier-1"].url, second.url)
    people: list[tuple[str, str, str]] = []
    for _ in range(0, TRIPLES, AT_ONCE):
        people += await asyncio.gather(*(stage.patient() for _ in range(AT_ONCE)))

    async def book(patient: str, zone: str) -> str:
        made = await stage.caller.order("POST", "/sessions", stage.booking(patient, zone), Order(now))
        return str(made["id"])

    sessions = await asyncio.gather(*(book(patient, zone) for _, patient, zone in people))

    async def last_word_is_stop(index: int) -> None:
        said: list[asyncio.Task[int]] = []
        for word in LAST_WORDS[index % len(LAST_WORDS)]:
            door = chance.choice(doors)
            said.append(asyncio.create_task(handed_over(stage, door, people[index][0], word)))
            await asyncio.sleep(chance.uniform(*APART))  # noqa: TID251 - how far apart the words come is what is tried
        assert await asyncio.gather(*said) == [200] * 3

    async def small_talk() -> None:
        for index in range(60):
            await handed_over(stage, chance.choice(doors), f"+1646556{index % 7:04d}", f"hello {index}")

    for first in range(0, TRIPLES, AT_ONCE):
        await asyncio.gather(small_talk(), *(last_word_is_stop(index) for index in range(first, first + AT_ONCE)))
    due = "UPDATE scheduler.outbox SET due_at = now() WHERE timer LIKE ANY(:names)"
    await stage.sql(due, names=[f"%{session}%" for session in sessions])
    for number, _, _ in people:
        await stage.until_state(number, "withheld")
    ledger = await read_ledger(stage.deployment, stage.caller)
    mine = {number for number, _, _ in people}
    assert [one.to for one in ledger.messages if one.to in mine and "your visit" in one.body] == []
    await stage.deployment.remove(second.name)


async def test_a_frozen_database_never_leaves_anybody_before_an_empty_page(stage: Stage) -> None:
    (mark,) = (stage.deployment.folder / "postgres").rglob("postmaster.pid")
    pid = int((await asyncio.to_thread(mark.read_text)).split()[0])
    # Whoever has logged in once is looked up, and so is every link.
    logged_in = {"Cookie": f"{COOKIE}={'x' * 43}", "Accept": "text/html"}
    pages = {
        "/console/today": WHO_HELPS_STAFF,
        "/console/alerts": WHO_HELPS_STAFF,
        f"/c/{'x' * 43}": WHO_HELPS_A_PATIENT,
    }

    async def ask(path: str) -> tuple[int, str, float]:
        began = perf_counter()
        async with stage.http.get(stage.deployment.gateway + path, headers=logged_in, allow_redirects=False) as answer:
            return answer.status, await answer.text(), perf_counter() - began

    for path in pages:
        assert (await ask(path))[0] in {303, 404}
    with frozen(await family_of(pid)):
        for path, help_ in pages.items():
            status, shown, took = await ask(path)
            assert status == 503, path
            assert took < SECONDS, path
            assert all(words in shown for words in help_), (path, shown)

    async def back() -> bool:
        try:
            async with asyncio.timeout(5):
                return (await ask("/console/today"))[0] == 303
        except (aiohttp.ClientError, TimeoutError):
            return False

    await eventually(back, seconds=60)


async def refusals(stage: Stage, url: str) -> list[str]:
    """Return what each command says of an address of PostgreSQL; none may take it, wait for it, or trace back."""
    settings = {**stage.deployment.settings, "KEEPWELL_DATABASE_URL": url}
    place = stage.deployment.folder / "refused"
    own = clean_environment(**settings, KEEPWELL_DATA_DIR=str(place), KEEPWELL_HTTP_PORT="0")
    async with asyncio.timeout(60):
        ended = await asyncio.gather(*(run_command(*each, environment=own) for each in COMMANDS))
    for each, (code, output, complaint) in zip(COMMANDS, ended, strict=True):
        assert code != 0, each
        assert "Traceback" not in output + complaint, each
    return [output + complaint for _, output, complaint in ended]


@pytest.mark.parametrize("mode", ["transaction", "session"])
async def test_a_pooler_in_between_is_never_taken_for_a_wrong_password_or_waited_for(stage: Stage, mode: str) -> None:
    with TemporaryDirectory(prefix="kwp", dir="/tmp") as place:
        async with pooled(make_url(stage.deployment.database.url), Path(place), mode=mode) as url:
            for said in await refusals(stage, url.render_as_string(hide_password=False)):
                assert "is a connection pooler such as PgBouncer" in said
                assert "Set the address of the server behind it" in said


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("sslmode=require", "check sslmode"),
        ("sslmode=verify-full&sslrootcert=/no/such.pem", "such.pem"),
        ("sslmode=sometimes", "it is one of disable, allow, prefer"),
        ("channel_binding=require", "cannot be honoured"),
        ("requirepeer=postgres", "is no parameter known here"),
    ],
)
async def test_a_hosters_own_address_never_ends_in_a_traceback_nor_without_its_tls(
    stage: Stage, query: str, words: str
) -> None:
    for said in await refusals(stage, f"{stage.deployment.database.url}?{query}"):
        assert words in said, said


@pytest.mark.parametrize("query", ["sslmode=prefer", "options=-c%20statement_timeout%3D60000", "connect_timeout=10"])
async def test_a_hosters_own_address_has_its_usual_meaning(stage: Stage, query: str) -> None:
    url = f"{stage.deployment.database.url}?{query}"
    settings = {**stage.deployment.settings, "KEEPWELL_DATABASE_URL": url}
    own = clean_environment(**settings, KEEPWELL_DATA_DIR=str(stage.deployment.folder / "migrate"))
    code, _, complaint = await run_command("migrate", environment=own)
    assert code == 0, complaint
