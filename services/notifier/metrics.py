"""What the notifier counts. No label holds an identifier: only channels, outcomes, reasons and the provider's codes.

Label sets that are known beforehand stand at zero from the start: a rate needs a series before its first event, and a
query that finds nothing looks like one that is misspelt.
"""

import re
from enum import StrEnum
from typing import Final, get_args

from services.notifier.model.call_outcomes import CallOutcome
from services.notifier.model.inbound import Intent
from services.notifier.model.purposes import Channel
from services.notifier.model.send_rules import Reason
from services.notifier.model.states import PROVIDER_STATUS
from shared.telemetry.metrics import Tells, counter, gauge

CALLS: Final = counter("provider_calls", "Calls to a provider by what became of them.", "channel", "outcome")
ERRORS: Final = counter(
    "provider_errors", "Errors that a provider named, by its code and by what they meant.", "channel", "meaning", "code"
)
AWAY: Final = counter("provider_away", "Times that a provider answered no call and was left alone.", "channel")
SEGMENTS: Final = counter("text_segments", "Segments of the texts that a provider took, as carriers bill them.")
WITHHELD: Final = counter("messages_withheld", "Messages that did not go out, by reason.", "reason")
HELD: Final = counter("messages_held", "Messages that wait for a later hour, by reason.", "reason")
DOUBLED: Final = counter("messages_doubled", "Messages of which the provider reports a second copy.")
CALLBACKS: Final = counter("provider_callbacks", "Status reports from the provider, by status.", "status")
INBOUND: Final = counter("texts_received", "Texts from patients, by what they ask for.", "intent")
FORGED: Final = counter("webhooks_forged", "Webhook calls without a valid signature.", "path")
ONCALL_UNREACHED: Final = gauge(
    "oncall_unreached", "Clinics of whose people on call nobody can be reached.", tells=Tells.WHOLE
)
REFUSED_SECONDS: Final = gauge(
    "webhooks_refused_seconds", "Time since the provider's calls are refused, all of them.", tells=Tells.WHOLE
)
OVERDUE: Final = gauge(
    "message_overdue_seconds", "Time since the oldest planned message was to go out.", tells=Tells.WHOLE
)
FOR_A_PERSON: Final = gauge(
    "messages_for_a_person", "Messages that a restore holds until a person decides.", tells=Tells.WHOLE
)
UNKNOWN: Final = gauge(
    "attempts_unknown", "Attempts of which nobody knows yet whether the provider took them.", tells=Tells.WHOLE
)
UNKNOWN_AGE: Final = gauge(
    "attempts_unknown_oldest_seconds", "Time since the oldest unknown attempt began.", tells=Tells.WHOLE
)

OTHER: Final = "other"
_CODE: Final = re.compile(r"(?:HTTP )?\d{3,6}|SMTP \d{3}(?: [245]\.\d{1,3}\.\d{1,3})?|[A-Z][A-Za-z]{2,40}")


class Meaning(StrEnum):
    """What an error meant for its message."""

    REFUSED = "refused"
    LATER = "later"
    UNKNOWN = "unknown"
    UNDELIVERED = "undelivered"


def code_label(code: str) -> str:
    """Return a provider's code, or the kind of an error of ours, as a label; `other` for all else: labels stay few."""
    return code if _CODE.fullmatch(code) else OTHER


def outcome_label(outcome: type[CallOutcome]) -> str:
    """Return what a call came to as a label, such as `accepted`."""
    return outcome.__name__.lower()


for _channel in Channel:
    for _outcome in get_args(CallOutcome):
        CALLS.labels(_channel, outcome_label(_outcome))
    AWAY.labels(_channel)
    for _meaning in Meaning:
        ERRORS.labels(_channel, _meaning, OTHER)
for _reason in Reason:
    WITHHELD.labels(_reason)
    HELD.labels(_reason)
for _status in (*PROVIDER_STATUS, OTHER):
    CALLBACKS.labels(_status)
for _intent in Intent:
    INBOUND.labels(_intent)
