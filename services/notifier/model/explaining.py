"""Why a message did not go out or did not arrive, in words, and what a person can do: said to all who show it."""

from dataclasses import dataclass
from typing import Final

from services.notifier.model.causes import CAUSES, cause_of
from services.notifier.model.purposes import Purpose
from services.notifier.model.send_rules import Reason

WHY: Final[dict[Reason, str]] = {
    Reason.DISCHARGED: "the patient has left the clinic's care",
    Reason.NO_ADDRESS: "there is no address for it",
    Reason.NO_CONSENT: "the patient has not agreed to this on this channel",
    Reason.OPTED_OUT: "the number said stop; only a START from the number itself brings its texts back",
    Reason.WRONG_NUMBER: "whoever has the number said that it is not the patient's",
    Reason.ASKED: "the number was asked whether it wants texts, and has not answered",
    Reason.BAD_ADDRESS: "nothing arrives at the number or address; a new one, or staff's word that it works, is needed",
    Reason.SESSION_MOVED: "the session has another time now",
    Reason.SESSION_OVER: "the session was cancelled, or is over",
    Reason.CHECKIN_CLOSED: "the check-in was answered, or has ended",
    Reason.ALERT_CLOSED: "a person has seen the alert",
    Reason.ALREADY_BOOKED: "the patient has a session ahead",
    Reason.SUPERSEDED: "a later message says it better",
    Reason.TOO_LATE: "it would come too late to be of use",
    Reason.QUIET_HOURS: "it is night where the recipient is",
    Reason.DAILY_LIMIT: "the patient got enough texts for one day",
    Reason.DROPPED: "it may have gone out before the database was restored, and a person said not to send it",
}
"""The reasons in words, for the staff who ask."""

_REMEDIES: Final[dict[Reason, str]] = {
    Reason.NO_ADDRESS: "Ask for a number or an address, or call.",
    Reason.OPTED_OUT: "Tell them by phone, or agree on e-mail.",
    Reason.WRONG_NUMBER: "Ask for the right number.",
    Reason.BAD_ADDRESS: "Ask for the right number or address.",
}
_NOT_PAGED: Final[dict[str, str]] = {
    Reason.OPTED_OUT: "the number said STOP; a START from it brings pages back",
    Reason.NO_ADDRESS: "nobody is on call",
    Reason.ALERT_CLOSED: "it was acknowledged before",
    "21610": "the number said STOP to the carrier; a START from it brings pages back",
}
"""What differs where a page, and no message to a patient, did not go out."""
_OF_ONE: Final[dict[str, tuple[str, str]]] = {
    "30003": ("the phone could not be reached", "Call, and ask whether the number is right."),
    "30004": ("the phone blocks these texts", "Call; their phone or carrier must let your texts through."),
    "30005": ("the number is not in use", "Ask for the right number."),
    "30006": ("the number is a landline and takes no texts", "Ask for a mobile number, or agree on e-mail."),
    "21211": ("the number is none", "Ask for the right number."),
    "21614": ("the number takes no texts", "Ask for a mobile number, or agree on e-mail."),
    "21610": ("the patient said STOP to the carrier", "Tell them by phone, or agree on e-mail."),
    "unknown": (
        "nobody knows whether it arrived: the connection broke while it was sent",
        "Tell them by phone; it is not sent again.",
    ),
    "unsendable": ("it could not be written", "Tell them by phone; whoever runs Keepwell finds why in the log."),
    "SMTP 550": ("the mailbox does not exist", "Ask for the right address."),
    "SMTP 550 5.1.1": ("the mailbox does not exist", "Ask for the right address."),
}
"""Errors that lie with one recipient or one message, after the provider's error dictionary
(https://www.twilio.com/docs/api/errors) and RFC 3463; what to do about one is ours."""


@dataclass(frozen=True)
class Explanation:
    """Why, and what a person can do, where more can be said than to call."""

    why: str
    step: str | None = None


def explain(purpose: str, reason: str | None, error: str | None) -> Explanation | None:
    """Return the words for what kept a message from its recipient; None where nothing did."""
    code = error or reason
    if code is None:
        return None
    if purpose == Purpose.PAGE and code in _NOT_PAGED:
        return Explanation(_NOT_PAGED[code])
    if error is not None:
        return _of_error(error)
    known = Reason(code) if code in set(Reason) else None
    return Explanation(code.replace("_", " ")) if known is None else Explanation(WHY[known], _REMEDIES.get(known))


def _of_error(error: str) -> Explanation:
    if error in _OF_ONE and error not in CAUSES:
        return Explanation(*_OF_ONE[error])
    cause = cause_of(error)
    return Explanation(cause.what, f"Whoever runs Keepwell: {cause.remedy}. Until then call.")
