"""A clinic's own mail relay, on the running stack: an unknown certificate, a slow answer, a sender nobody set."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from shared.settings import PREFIX
from tests.integration.notifier.test_mail import Mailbox
from tests.support.bench import eventually
from tests.support.certificates import certificates
from tests.support.clinic import PURPOSES, Clinic, clinic
from tests.support.running import Keepwell, clean_environment, keepwell, run_command

SLOW = 25.0
"""Real seconds until the relay answers a whole mail: longer than any step before it may take."""
TO = "ida@mail.example"


@dataclass
class Relay:
    """A mail relay whose certificate no known authority has signed."""

    mailbox: Mailbox
    port: int
    folder: Path

    def settings(self, **more: str) -> dict[str, str]:
        return {
            "KEEPWELL_SMTP_HOST": "127.0.0.1",
            "KEEPWELL_SMTP_PORT": str(self.port),
            "KEEPWELL_SMTP_FROM": "Riverside <no-reply@clinic.example>",
            "KEEPWELL_SANDBOX__ENABLED": "false",
        } | more


@pytest.fixture(scope="module")
async def relay() -> AsyncIterator[Relay]:
    with TemporaryDirectory(prefix="kwm", dir="/tmp") as place:
        folder = Path(place) / "certificates"
        certificates(folder)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        mailbox, loop = Mailbox(), asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(mailbox, hostname="mail.example", tls_context=context, loop=loop), "127.0.0.1", 0
        )
        async with server:
            yield Relay(mailbox, server.sockets[0].getsockname()[1], folder)


async def examined(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what the doctor says of the mail."""
    _, said, complaint = await run_command("doctor", "--json", environment=dict(environment))
    assert said, complaint
    found: dict[str, Any] = next(one for one in json.loads(said) if one["what"] == "mail")
    return found


@asynccontextmanager
async def again(before: Keepwell, **settings: str) -> AsyncIterator[Keepwell]:
    """Start the same one again, with other settings."""
    same = {name: value for name, value in before.environment.items() if name.startswith(PREFIX)}
    folder = Path(same.pop("KEEPWELL_DATA_DIR"))
    async with keepwell(same | settings, folder=folder) as running:
        yield running


async def asked_by_mail(here: Clinic) -> str:
    """Ask somebody who agreed to mail alone; return who."""
    consents = [{"purpose": one, "how": "on paper", "at": "2026-11-01T15:00:00Z"} for one in PURPOSES]
    person = await here.enrol("Ida", contacts=[{"kind": "email", "value": TO, "consents": consents}])
    await here.keepwell.post("/checkins", {"patient": person.id, "instruments": ["phq-9"]}, status=201)
    await here.live(minutes=4)
    return person.id


@pytest.mark.timeout(300)
async def test_mail_that_a_relay_of_ones_own_certificate_keeps_back_never_waits_in_silence(
    relay: Relay, servers: Mapping[str, str]
) -> None:
    with TemporaryDirectory(prefix="kwr", dir="/tmp", ignore_cleanup_errors=True) as place:
        async with clinic(relay.settings(**servers), sandbox=False, folder=Path(place)) as here:
            patient = await asked_by_mail(here)
            cause = "the mail server's certificate is not trusted here"

            async def told() -> str:
                found = await here.keepwell.get("/status")
                return next((one for one in found["problems"] if cause in one), "")

            problem = await eventually(told, seconds=30)
            assert problem.startswith("1 e-mail cannot leave since ")
            assert "KEEPWELL_SMTP_CA" in problem
            assert "check KEEPWELL_SMTP_HOST" not in problem
            assert (await here.keepwell.get("/status"))["counts"]["waiting_mails"] == 1

            found = await examined(here.keepwell.environment)
            assert (found["well"], "KEEPWELL_SMTP_CA" in found["remedy"]) == (False, True), found
        assert relay.mailbox.mails == [], "nothing goes to somebody whom nobody vouches for"
        relay.mailbox.takes = SLOW
        async with again(here.keepwell, KEEPWELL_SMTP_CA=str(relay.folder / "ca.pem")) as running:

            async def state() -> str:
                (message,) = (await running.get(f"/patients/{patient}/messages"))["items"]
                return str(message["state"])

            async def whole() -> bool:
                return len(relay.mailbox.mails) == 1

            moved = asyncio.create_task(running.live_until(await running.now() + timedelta(minutes=1)))
            await eventually(whole, seconds=30)
            assert await state() == "sending", "neither sent nor failed while nobody knows"
            for trusted in ("ca.pem", "server.pem"):
                own = running.environment | {"KEEPWELL_SMTP_CA": str(relay.folder / trusted)}
                found = await examined(own)
                assert (found["well"], "encrypted" in found["detail"]) == (True, True), (trusted, found)
            await moved
            assert await state() == "sent"
            assert [mail["To"] for mail in relay.mailbox.mails] == [TO], "and not once more"
            assert (await running.get("/status"))["counts"]["waiting_mails"] == 0


async def refusals(settings: dict[str, str]) -> list[str]:
    """Return what start and doctor say of settings that neither may take, nor trace back."""
    with TemporaryDirectory(prefix="kwr", dir="/tmp", ignore_cleanup_errors=True) as place:
        own = clean_environment(**settings, KEEPWELL_DATA_DIR=place)
        async with asyncio.timeout(60):
            ended = await asyncio.gather(*(run_command(each, environment=own) for each in ("up", "doctor")))
    for code, said, complaint in ended:
        assert code != 0
        assert "Traceback" not in said + complaint
    return [said + complaint for _, said, complaint in ended]


@pytest.mark.parametrize(
    ("sender", "words"),
    [
        ("", "so set KEEPWELL_SMTP_FROM too"),
        ("Riverside", "KEEPWELL_SMTP_FROM"),
        ("Riverside <no-reply@clinic.example", "KEEPWELL_SMTP_FROM"),
        ("clinic@localhost", "KEEPWELL_SMTP_FROM"),
        ("no-reply@clinic.example\nBcc: all@clinic.example", "KEEPWELL_SMTP_FROM"),
    ],
    ids=["unset", "a name alone", "half a bracket", "no domain", "two lines"],
)
async def test_nothing_starts_to_write_from_a_sender_that_nobody_takes(relay: Relay, sender: str, words: str) -> None:
    started, doctor = await refusals(relay.settings(KEEPWELL_SMTP_FROM=sender))
    assert words in started
    assert words.removeprefix("so set ").removesuffix(" too") in doctor
    assert len(started.strip().splitlines()) == 1, "the start says it in one line"


async def test_mail_to_patients_does_not_vanish_in_a_sandbox_that_nobody_asked_for(relay: Relay) -> None:
    started, _ = await refusals(relay.settings(KEEPWELL_SANDBOX__ENABLED=""))
    assert "the sandbox would take all texts and all e-mail" in started
    assert "KEEPWELL_SANDBOX__ENABLED=false" in started
    assert len(started.strip().splitlines()) == 1
