"""What a rival's task does besides its queue: the decision, the words, the request."""

import base64
import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from benchmarks.stand import CLOCK
from services.notifier.model.purposes import Channel, Purpose
from services.notifier.model.quiet_hours import WakingHours
from services.notifier.wording import Content, compose
from shared.protection import Keyring
from shared.walltime import parse_wall

KEYRING = Keyring.from_text(os.environ["KEEPWELL_KEYS"])
PROVIDER = os.environ["BENCH_PROVIDER"]
DATABASE = os.environ["BENCH_DATABASE"]
PATH = f"/2010-04-01/Accounts/AC{'0' * 32}/Messages.json"
HEADERS = {
    "Authorization": "Basic " + base64.b64encode(b"AC:benchmark").decode(),
    "Content-Type": "application/x-www-form-urlencoded",
}


def may_go(row: Mapping[str, Any]) -> bool:
    """Decide over a message as it stands now."""
    now = CLOCK.now()
    hours = WakingHours.parse(row["opens"], row["closes"]) if row["opens"] else WakingHours()
    awake = hours.earliest(now, row["zone"]) <= now
    return bool(row["stands"] and row["consented"] and awake and not row["stopped"] and not row["discharged"])


def form(row: Mapping[str, Any]) -> bytes:
    """Return the request's body."""
    words = compose(
        Purpose.REMINDER,
        Channel.SMS,
        "1d",
        Content(
            language=row["language"], sender=row["sender_name"], phone=row["phone"], starts_at=parse_wall(row["wall"])
        ),
    )
    said = {
        "To": KEYRING.open(row["value"], context="contact"),
        "From": "+15550100000",
        "Body": words.body,
        "StatusCallback": f"http://127.0.0.1/webhooks/twilio/status?message={row['id']}",
    }
    return urlencode(said).encode()


def sid_of(answer: bytes) -> str:
    sid: str = json.loads(answer)["sid"]
    return sid
