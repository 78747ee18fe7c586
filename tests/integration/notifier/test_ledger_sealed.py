"""The ledger of consent keeps the clinic's words sealed, and changes for nothing else."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from services.notifier.store.in_clear import IN_CLEAR
from services.notifier.tables import CONSENTS
from shared.events.clinic import CONSENT, Consent
from shared.sealing import Sealing
from tests.integration.notifier.harness import NotifierHarness, contact_of
from tests.support.bench import KEYRING

CLOAK = ", how = 'clinic'"
MARK = "Planted0123, after the overdose, in the ward"


async def enrol(resting: NotifierHarness, **changes: str) -> None:
    """Enrol a patient who agreed to one purpose."""
    contact = contact_of("sms", "+15550101234")
    consent = Consent(purpose="reminders", at=contact.consents[0].at, **{"how": "", **changes})
    await resting.enrol(contact.model_copy(update={"consents": (consent,)}))


async def words(resting: NotifierHarness) -> list[tuple[str, str]]:
    async with resting.bench.service.database.reading() as reader:
        rows = await reader.all(select(CONSENTS).order_by(CONSENTS.c.id))
    return [(row.how, KEYRING.open(row.words, context=CONSENT)) for row in rows]


@pytest.mark.parametrize("form", ["sealed", "of before"])
async def test_the_ledger_never_holds_the_clinics_words_in_clear(resting: NotifierHarness, form: str) -> None:
    said = {"how": MARK} if form == "of before" else {"words": KEYRING.seal(MARK, context=CONSENT)}
    await enrol(resting, **said)
    assert await words(resting) == [("clinic", MARK)]


async def before(resting: NotifierHarness) -> None:
    """Have a ledger as an older version kept it: the clinic's words, a word by text, and one that was taken back."""
    rows = (
        "INSERT INTO consents (fingerprint, purpose, granted, how, at, recorded_at) VALUES"
        " ('f', 'reminders', true, :how, now(), now()), ('f', NULL, true, 'text', now(), now()),"
        " ('f', 'reminders', false, 'clinic', now(), now())"
    )
    async with resting.bench.service.database.transaction() as tx:
        await tx.execute(text(rows).bindparams(how=MARK))


async def test_a_ledger_of_before_never_stays_in_clear(resting: NotifierHarness) -> None:
    database = resting.bench.service.database
    await before(resting)
    assert await Sealing(database, KEYRING, IN_CLEAR).round() == {"consents": 1}
    async with database.reading() as reader:
        rows = await reader.all(select(CONSENTS).order_by(CONSENTS.c.id))
    assert [row.how for row in rows] == ["clinic", "text", "clinic"]
    assert KEYRING.open(rows[0].words, context=CONSENT) == MARK
    assert [row.words for row in rows[1:]] == [None, None]


@pytest.mark.parametrize(
    "change",
    [
        "granted = false",
        "purpose = 'booking'",
        "at = now()",
        "fingerprint = 'g'",
        "how = 'text'",
        "patient = gen_random_uuid()",
    ],
)
async def test_a_ledger_is_never_changed_under_the_cloak_of_sealing(resting: NotifierHarness, change: str) -> None:
    await enrol(resting, how=MARK)
    statement = text(f"UPDATE consents SET words = 'k1.AAAA', {change}")
    with pytest.raises(DBAPIError, match="only added to"):
        async with resting.bench.database.transaction() as tx:
            await tx.execute(statement)
