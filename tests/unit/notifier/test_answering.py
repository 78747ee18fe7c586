from dataclasses import replace
from uuid import UUID

import pytest

from services.notifier.model.answering import Answer, Effect, Reminded, Sender, effect_of
from services.notifier.model.inbound import Intent, Reading

ANA, BEN = UUID(int=1), UUID(int=2)
SOON, LATER = Reminded(ANA, UUID(int=10), 3), Reminded(ANA, UUID(int=11), 1)
SENDER = Sender(patients=[ANA], stopped=False, reminded=[SOON, LATER], answered_lately=False)
CONFIRMED = Effect(Intent.CONFIRM, Answer.CONFIRMED, SOON)


@pytest.mark.parametrize("intent", [Intent.CONFIRM, Intent.AGREE])
def test_agreement_means_the_soonest_session(intent: Intent) -> None:
    assert effect_of(Reading(intent), SENDER) == CONFIRMED


def test_agreement_that_may_mean_two_patients_is_for_a_person_to_read() -> None:
    family = replace(SENDER, patients=[ANA, BEN], reminded=[SOON, Reminded(BEN, UUID(int=12), 1)])
    assert effect_of(Reading(Intent.CONFIRM), family) == Effect(Intent.OTHER, Answer.OTHER)


def test_agreement_to_nothing_is_for_a_person_to_read() -> None:
    nothing = replace(SENDER, reminded=[], answered_lately=True)
    assert effect_of(Reading(Intent.CONFIRM), nothing) == Effect(Intent.OTHER, None)


def test_yes_after_stop_is_a_start_and_confirms_nothing() -> None:
    assert effect_of(Reading(Intent.AGREE, by_provider=True), replace(SENDER, stopped=True)) == Effect(
        Intent.START, None
    )


def test_a_stop_that_the_provider_answers_is_not_answered_twice() -> None:
    assert effect_of(Reading(Intent.STOP, by_provider=True), SENDER).answer is None
    assert effect_of(Reading(Intent.STOP), SENDER).answer == Answer.STOPPED
