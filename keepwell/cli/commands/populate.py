"""`keepwell populate`: made-up patients for a clinic on the real clock, enrolled over its interface, for a look around.

`keepwell demo` lives weeks in minutes, in one process. Split over containers time is real, and the product's work lies
days apart; so what can be seen soon is laid out here: sessions whose reminders are due within minutes, and check-ins
that staff ask for at once.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import aiohttp

from keepwell.cli.output import show
from keepwell.host.data_directory import DataDirectory, Login
from keepwell.simulated_clinic.counter import AT_ONCE, CheckinSeen, Counter, PatientSeen, PlanAnswer, SessionSeen
from keepwell.simulated_clinic.people import Person, person
from keepwell.simulated_clinic.record import PROTOCOL
from shared.clock import Clock
from shared.ids import ClinicId
from shared.instruments import MEASURE
from shared.settings import Settings, SettingsError
from shared.walltime import to_wall, wall_text
from shared.web.tokens import ALL_SCOPES, Principal, Tokens

SOON: Final = timedelta(minutes=2)
"""Until the first reminder is due; each patient's comes a minute later than the one's before, ten at most."""
WAVES: Final = 10
ASKED: Final = 3
"""Every so-manieth patient is asked for a check-in at once."""
TOKEN_LIFE: Final = timedelta(hours=1)


async def populate(directory: DataDirectory, settings: Settings, *, patients: int, seed: int, as_json: bool) -> int:
    """Enrol made-up patients who are not there yet, book them and ask some how they are; run again it changes nothing.

    Raises:
        SettingsError: texts would reach real phones, or there is no clinic yet.
    """
    if settings.live:
        raise SettingsError(
            f"KEEPWELL_TWILIO_BASE_URL is {settings.twilio_base_url!r}, so texts reach real phones: made-up patients "
            "are for the sandbox alone."
        )
    login = directory.login
    if login is None:
        raise SettingsError(f"There is no clinic in {directory.folder} yet: start `keepwell up clinic` once.")
    clock = directory.clock(settings)
    people = [person(seed, index, here=settings.zone, prefix="visitor") for index in range(patients)]
    async with aiohttp.ClientSession(
        f"{settings.clinic.url or directory.running.api}/api/v1/",
        headers={"Authorization": f"Bearer {_token(directory, settings, login)}"},
        connector=aiohttp.TCPConnector(limit=AT_ONCE),
    ) as http:
        counter = Counter(http)
        known = {one.external_id for one in await counter.every(PatientSeen, "patients")}
        new = [who for who in people if who.external_id not in known]
        await _welcome(counter, new, clock)
    show(
        {"enrolled": len(new)} if as_json else f"{len(new)} made-up patients were enrolled; reminders begin shortly.",
        as_json=as_json,
    )
    return 0


def _token(directory: DataDirectory, settings: Settings, login: Login) -> str:
    principal = Principal(ClinicId(UUID(login.clinic)), "made-up staff", ALL_SCOPES)
    return Tokens(directory.keyring(settings)).create(principal, life=TOKEN_LIFE)


async def _welcome(counter: Counter, people: Sequence[Person], clock: Clock) -> None:
    for number, who in enumerate(people):
        now = clock.now()
        enrolled = await counter.post(PatientSeen, "patients", who.enrolment(now), key=f"{who.external_id}/enrol")
        today = to_wall(now, who.zone).date()
        plan = {"protocol": PROTOCOL.id, "start_on": today.isoformat()}
        await counter.post(PlanAnswer, f"patients/{enrolled.id}/plans", plan, key=f"{enrolled.id}/plan")
        # Reminded a day before at its own wall time: tomorrow, some minutes later than now.
        starts = to_wall(now + timedelta(days=1) + SOON + timedelta(minutes=number % WAVES), who.zone)
        when = {"starts_at": wall_text(starts), "zone": who.zone, "odd_hour": True}
        session = {"patient": enrolled.id, **when, "minutes": 60}
        await counter.post(SessionSeen, "sessions", session, key=f"{enrolled.id}/session")
        if number % ASKED == 0:
            ask = {"patient": enrolled.id, "instruments": [MEASURE]}
            await counter.post(CheckinSeen, "checkins", ask, key=f"{enrolled.id}/checkin")
