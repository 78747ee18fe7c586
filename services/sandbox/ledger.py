"""The ledger: what the network and the mailbox took, and what they told of it. Tests count against it."""

from collections import Counter, defaultdict
from datetime import datetime

from services.sandbox.entries import (
    ActDone,
    ActPlanned,
    AnyEntry,
    Born,
    CallbackSent,
    CallRefused,
    HandsetOpened,
    MailKept,
    MailRefused,
    PatientEnrolled,
    SessionAttended,
    TextAccepted,
    TextHandedOver,
    TextReceived,
    Tuned,
)
from services.sandbox.journal import Journal
from services.sandbox.model.chance import digest
from services.sandbox.model.keywords import Keyword, keyword_in
from services.sandbox.model.profiles import Profile


class Ledger:
    """All entries, in memory and in the journal, with the look-ups that the rooms need.

    Args:
        journal: where the entries are kept; what it holds already is read first.
        profile: how the network behaves by the settings. It holds where the ledger begins, and where the settings
            have changed since; else an order that came meanwhile holds over a restart.
        seed: by the settings, likewise.
        now: the instant at which a ledger that begins empty is born.
    """

    def __init__(self, journal: Journal, *, profile: Profile, seed: int, now: datetime) -> None:
        self._journal = journal
        self.version = 0
        self.profile, self.seed = self.configured = (profile, seed)
        self._empty(now)
        entries = list(journal.read())
        for entry in entries:
            self._apply(entry)
        if not entries:
            self.begin(now)
        elif self.configured != (profile, seed):
            self.record(Tuned(profile=profile, seed=seed, configured=True))

    def _empty(self, born: datetime) -> None:
        self.born = born
        self.texts: dict[str, TextAccepted] = {}
        self.texts_of: defaultdict[str, list[TextAccepted]] = defaultdict(list)
        self.callbacks: defaultdict[str, dict[int, CallbackSent]] = defaultdict(dict)
        self.inbound: dict[str, TextReceived] = {}
        self.inbound_of: defaultdict[str, list[TextReceived]] = defaultdict(list)
        self.inbound_to: defaultdict[str, list[TextReceived]] = defaultdict(list)
        self.handed_over: dict[str, TextHandedOver] = {}
        self.refused: list[CallRefused] = []
        self.mails: dict[str, MailKept] = {}
        self.mails_refused: list[MailRefused] = []
        self.blocked: set[tuple[str, str]] = set()
        self.handsets: dict[str, datetime] = {}
        self.patients: dict[str, PatientEnrolled] = {}
        self.attended: defaultdict[str, list[datetime]] = defaultdict(list)
        self.acts: dict[str, ActPlanned] = {}
        self.acts_done: dict[str, ActDone] = {}
        self.place: dict[str, int] = {}
        self.attempts: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()

    def begin(self, now: datetime) -> None:
        """Forget everything but how the network behaves, and begin an empty ledger."""
        profile, seed = self.profile, self.seed
        self._journal.clear()
        self._empty(now)
        self.record(Born(at=now))
        self.record(Tuned(profile=self.configured[0], seed=self.configured[1], configured=True))
        if (profile, seed) != self.configured:
            self.record(Tuned(profile=profile, seed=seed))

    def record(self, entry: AnyEntry) -> None:
        """Write an entry into the journal, then into memory."""
        self._journal.append(entry)
        self._apply(entry)

    def name(self, prefix: str, *parts: str | int) -> str:
        """Return an id of this ledger: prefix and 32 hex digits."""
        return prefix + digest(self.born.isoformat(), prefix, *parts)

    def next_attempt(self, call: str) -> int:
        """Return how many calls about this were begun before, and count this one."""
        self.attempts[call] += 1
        return self.attempts[call] - 1

    def _apply(self, entry: AnyEntry) -> None:
        self.version += 1
        match entry:
            case Born(at=at):
                self.born = at
            case Tuned(profile=profile, seed=seed, configured=configured):
                self.profile, self.seed = profile, seed
                self.configured = (profile, seed) if configured else self.configured
            case TextAccepted():
                self._apply_text(entry)
            case CallRefused():
                self.refused.append(entry)
                self._count_attempt(entry.call, entry.attempt)
            case CallbackSent(sid=sid, index=index):
                self.callbacks[sid][index] = entry
            case TextReceived():
                self._apply_inbound(entry)
            case TextHandedOver(sid=sid):
                self.handed_over[sid] = entry
            case HandsetOpened(number=number, at=at):
                self.handsets[number] = at
            case MailKept() | MailRefused():
                self._apply_mail(entry)
            case _:
                self._apply_patient(entry)

    def _apply_text(self, text: TextAccepted) -> None:
        self.texts[text.sid] = text
        self.place[text.sid] = self.version
        self.texts_of[text.to].append(text)
        self.handsets[text.to] = text.at
        self.accepted[text.call] += 1
        self._count_attempt(text.call, text.attempt)

    def _apply_inbound(self, text: TextReceived) -> None:
        self.inbound[text.sid] = text
        self.place[text.sid] = self.version
        self.inbound_of[text.number].append(text)
        self.inbound_to[text.to].append(text)
        self.handsets[text.number] = text.at
        pairs = {(sender, text.number) for sender in (text.to, text.service) if sender}
        match keyword_in(text.body):
            case Keyword.STOP:
                self.blocked |= pairs
            case Keyword.START:
                self.blocked -= pairs
            case _:
                return

    def _apply_mail(self, entry: MailKept | MailRefused) -> None:
        if isinstance(entry, MailKept):
            self.mails[entry.id] = entry
        else:
            self.mails_refused.append(entry)
            self._count_attempt(entry.call, entry.attempt)

    def _apply_patient(self, entry: AnyEntry) -> None:
        match entry:
            case PatientEnrolled(number=number):
                self.patients[number] = entry
            case SessionAttended(number=number, at=at):
                self.attended[number].append(at)
            case ActPlanned(id=name):
                self.acts[name] = entry
            case ActDone(id=name):
                self.acts_done[name] = entry

    def _count_attempt(self, call: str, attempt: int) -> None:
        self.attempts[call] = max(self.attempts[call], attempt + 1)
