"""What the notifier counts. No label holds an identifier: only channels, outcomes, reasons and the provider's codes."""

import re
from typing import Final

from shared.telemetry.metrics import counter, gauge

CALLS: Final = counter("provider_calls", "Calls to a provider by what became of them.", "channel", "outcome")
REFUSALS: Final = counter("provider_errors", "Errors that a provider named, by its code.", "channel", "code")
SEGMENTS: Final = counter("text_segments", "Segments of the texts that a provider took, as carriers bill them.")
WITHHELD: Final = counter("messages_withheld", "Messages that did not go out, by reason.", "reason")
HELD: Final = counter("messages_held", "Messages that wait for a later hour, by reason.", "reason")
DOUBLED: Final = counter("messages_doubled", "Messages of which the provider reports a second copy.")
CALLBACKS: Final = counter("provider_callbacks", "Status reports from the provider, by status.", "status")
INBOUND: Final = counter("texts_received", "Texts from patients, by what they ask for.", "intent")
FORGED: Final = counter("webhooks_forged", "Webhook calls without a valid signature.", "path")
UNKNOWN: Final = gauge("attempts_unknown", "Attempts of which nobody knows yet whether the provider took them.")

_CODE: Final = re.compile(r"(?:HTTP |SMTP )?\d{3,6}")


def code_label(code: str) -> str:
    """Return a provider's code as a label, or `other` where it is no number: labels must stay few."""
    return code if _CODE.fullmatch(code) else "other"
