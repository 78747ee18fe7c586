"""Virtual patients: they read their texts, open their links, answer, confirm, and now and then say STOP."""

from datetime import datetime, timedelta
from functools import partial
from typing import Final
from urllib.parse import urljoin

from services.sandbox.caller import Answer, BrowserSession, Caller, NoAnswerError, NotLoopbackError
from services.sandbox.entries import (
    ActDone,
    ActPlanned,
    PatientEnrolled,
    SessionAttended,
    Source,
    TextAccepted,
)
from services.sandbox.ledger import Ledger
from services.sandbox.model.actions import ActionKind, actions_on
from services.sandbox.model.chance import digest
from services.sandbox.model.forms import Mind, fill, form_to_answer
from services.sandbox.model.traits import HIGHEST, PatientTraits, latent_score, phq9_answers, traits_of
from services.sandbox.network import Network
from services.sandbox.timers import Timers
from shared.clock import Clock

MOST_PAGES: Final = 20
"""Forms that a patient fills in on one visit before giving up."""

MOST_TRIES: Final = 3
"""Hours in a row in which a patient tries to open a page that does not answer."""

_REDIRECT: Final = 300


class VirtualPatients:
    """All virtual patients. What each does follows from the seed and the number alone.

    Attributes:
        everybody: whether every handset is held by one.
        answer_everything: whether they answer every check-in to its end.
    """

    def __init__(
        self, clock: Clock, ledger: Ledger, timers: Timers, caller: Caller, network: Network, *, everybody: bool
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._timers = timers
        self._caller = caller
        self._network = network
        self.everybody = everybody
        self.answer_everything = False

    def enrol(self, number: str, *, virtual: bool = True, name: str = "", traits: PatientTraits | None = None) -> None:
        """Let a virtual patient hold a handset, or (with `virtual=False`) keep it for a person.

        Args:
            number: of the handset.
            virtual: whether it is answered by itself.
            name: whose it is, for the page of the phones; made-up people alone have one.
            traits: how they are; drawn from the seed where absent.
        """
        wanted = PatientEnrolled(number=number, virtual=virtual, name=name, traits=traits)
        if self._ledger.patients.get(number) != wanted:
            self._ledger.record(wanted)

    def attended(self, number: str, at: datetime) -> None:
        """Let a patient have been at a session: the course of the depression follows from it."""
        self._ledger.record(SessionAttended(number=number, at=at))

    def is_virtual(self, number: str) -> bool:
        """Tell whether a virtual patient holds this handset."""
        known = self._ledger.patients.get(number)
        return self.everybody if known is None else known.virtual

    def name_of(self, number: str) -> str:
        """Return whose handset this is, where anybody said so."""
        known = self._ledger.patients.get(number)
        return "" if known is None else known.name

    def _traits(self, number: str) -> PatientTraits:
        known = self._ledger.patients.get(number)
        return (known and known.traits) or traits_of(self._ledger.seed, number)

    def latent(self, number: str, at: datetime) -> float:
        """Return the true PHQ-9 of a patient, which no service of Keepwell knows."""
        seed = self._ledger.seed
        return latent_score(seed, number, self._traits(number), tuple(self._ledger.attended.get(number, ())), at)

    def resume(self) -> None:
        """Take up the acts that the ledger has still to do."""
        for act in self._ledger.acts.values():
            if act.id not in self._ledger.acts_done:
                self._schedule(act)

    def on_text(self, text: TextAccepted) -> None:
        """Plan what the holder of a handset does about a text, if the holder is virtual and the text arrives."""
        arrived = self._network.shown_at(text)
        if arrived is None or not self.is_virtual(text.to):
            return
        seed, number = self._ledger.seed, text.to
        acts = actions_on(
            seed,
            number,
            self._traits(number),
            body=text.body,
            key=text.key,
            # Of two texts at one instant either may come first: both count as the next one.
            count=1 + sum(other.at < text.at for other in self._ledger.texts_of[number]),
            latent=self.latent(number, arrived),
            arrived=arrived,
            everything=self.answer_everything,
        )
        for place, act in enumerate(acts):
            self._plan(
                ActPlanned(
                    id=self._ledger.name("AC", text.key, place),
                    key=digest(text.key, place),
                    number=number,
                    to=text.sender,
                    action=act.kind,
                    at=act.at,
                    words=act.words,
                    stays=act.stays,
                )
            )

    def _plan(self, act: ActPlanned) -> None:
        self._ledger.record(act)
        self._schedule(act)

    def _schedule(self, act: ActPlanned) -> None:
        self._timers.add(act.at, f"{act.id}/{act.tries}", act.number, partial(self._do, act))

    async def _do(self, act: ActPlanned) -> None:
        if act.action is ActionKind.REPLY:
            done = await self._network.receive(act.number, act.words, source=Source.PATIENT, to=act.to)
            outcome = "sent" if done.answer is not None else "sent, not taken"
        else:
            try:
                outcome = await self._check_in(act)
            except NotLoopbackError as error:
                outcome = str(error)
            except NoAnswerError as error:
                if act.tries + 1 < MOST_TRIES:
                    again = {"at": act.at + timedelta(hours=1), "tries": act.tries + 1}
                    self._plan(act.model_copy(update=again))
                    return
                outcome = f"no answer: {error}"
        if act.id in self._ledger.acts:
            self._ledger.record(ActDone(id=act.id, at=self._clock.now(), outcome=outcome))

    async def _check_in(self, act: ActPlanned) -> str:
        """Open the link and fill in form after form, and tell how it ended."""
        mind = self._mind(act)
        async with self._caller.browser() as browser:
            page = await browser.get(act.words)
            position = pages = 0
            answered = False
            while page.status < _REDIRECT and pages < MOST_PAGES:
                form = form_to_answer(page.body, answered=answered)
                if form is None:
                    return "answered" if pages else "nothing to answer"
                if pages and not act.stays:
                    return "left after the first page"
                pairs, position = fill(form, mind, position)
                page = await self._send(browser, page, form.action, pairs)
                pages += 1
                answered = answered or form.asks
            return f"refused with {page.status}" if page.status >= _REDIRECT else "too many pages"

    @staticmethod
    async def _send(browser: BrowserSession, page: Answer, action: str, pairs: list[tuple[str, str]]) -> Answer:
        return await browser.post(urljoin(page.url, action) if action else page.url, pairs)

    def _mind(self, act: ActPlanned) -> Mind:
        seed = self._ledger.seed
        latent = self.latent(act.number, act.at)
        return Mind(
            items=phq9_answers(seed, act.number, self._traits(act.number), latent, act.key),
            unwell=latent / HIGHEST,
            salt=act.key,
        )
