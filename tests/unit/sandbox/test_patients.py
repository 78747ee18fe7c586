"""Virtual patients follow from the seed and the number alone, and look like a clinic's."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import fmean, stdev

import pytest

from services.sandbox.model.actions import Action, ActionKind, actions_on
from services.sandbox.model.chance import beta, normal, roll
from services.sandbox.model.traits import PatientTraits, latent_score, phq9_answers, traits_of

AT = datetime(2026, 12, 1, 10, 17, tzinfo=UTC)
NUMBERS = [f"+1212{number:07}" for number in range(3000)]
CHECK_IN = "How are you today? http://127.0.0.1:8080/c/token"
REMINDER = "Riverside: visit on Fri 4 Dec, 10:00. Reply C to confirm."


def acts(number: str, body: str, key: str, *, count: int = 1, latent: float = 8, seed: int = 1) -> tuple[Action, ...]:
    traits = traits_of(seed, number)
    return actions_on(seed, number, traits, body=body, key=key, count=count, latent=latent, arrived=AT)


def test_the_same_seed_gives_the_same_acts_in_any_order() -> None:
    forward = {number: acts(number, CHECK_IN, "k") for number in NUMBERS[:200]}
    backward = {number: acts(number, CHECK_IN, "k") for number in NUMBERS[:200][::-1]}
    assert forward == backward
    assert forward != {number: acts(number, CHECK_IN, "k", seed=2) for number in NUMBERS[:200]}


def test_acts_are_done_at_twenty_past_an_hour_after_the_text() -> None:
    for number in NUMBERS[:500]:
        for act in acts(number, REMINDER, "k"):
            assert act.at > AT
            assert (act.at.minute, act.at.second, act.at.microsecond) == (20, 0, 0)


def test_a_text_on_the_hour_can_be_answered_within_it_and_never_at_the_same_instant() -> None:
    hour = AT.replace(minute=0)
    traits = traits_of(1, NUMBERS[0])
    at = {
        act.at
        for key in range(300)
        for act in actions_on(1, NUMBERS[0], traits, body=REMINDER, key=str(key), count=1, latent=5, arrived=hour)
    }
    assert min(at) == hour + timedelta(minutes=20)


def test_nobody_acts_within_five_minutes_of_a_text_as_a_machine_would() -> None:
    for minute in range(60):
        arrived = AT.replace(minute=minute)
        for number in NUMBERS[:20]:
            done = actions_on(
                1, number, traits_of(1, number), body=REMINDER, key="k", count=1, latent=5, arrived=arrived
            )
            assert all(act.at - arrived >= timedelta(minutes=5) for act in done)


def test_who_answers_everything_goes_to_the_end_and_never_says_stop() -> None:
    for number in NUMBERS[:300]:
        traits = traits_of(1, number)
        for count in range(1, 40, 3):
            asked, reminded = (
                actions_on(
                    1, number, traits, body=body, key=str(count), count=count, latent=25, arrived=AT, everything=True
                )
                for body in (CHECK_IN, REMINDER)
            )
            assert [(act.kind, act.stays) for act in asked] == [(ActionKind.CHECK_IN, True)]
            assert {act.words.upper()[0] for act in reminded} <= {"C"}


def test_check_ins_are_answered_about_as_often_as_in_clinics_and_more_rarely_when_unwell() -> None:
    def share(latent: float) -> float:
        opened = [
            any(act.kind is ActionKind.CHECK_IN for act in acts(number, CHECK_IN, "k", latent=latent))
            for number in NUMBERS
        ]
        return fmean(opened)

    assert share(5) == pytest.approx(0.64, abs=0.04)
    assert share(20) < share(5) - 0.1


def test_some_say_stop_at_their_own_text_and_some_of_them_come_back() -> None:
    stopping = {number: traits.stops_at for number in NUMBERS if (traits := traits_of(1, number)).stops_at}
    assert len(stopping) / len(NUMBERS) == pytest.approx(0.06, abs=0.015)
    said = {
        number: [act.words for act in acts(number, REMINDER, "k", count=at)] for number, at in stopping.items() if at
    }
    assert {tuple(words) for words in said.values()} == {("STOP",), ("STOP", "START")}


def test_baselines_are_those_of_the_cohort_and_about_half_respond() -> None:
    everybodys = [traits_of(1, number) for number in NUMBERS]
    assert fmean(traits.baseline for traits in everybodys) == pytest.approx(18.7, abs=0.3)
    assert min(traits.baseline for traits in everybodys) >= 12
    assert max(traits.baseline for traits in everybodys) <= 27
    assert fmean(traits.relief > 5 for traits in everybodys) == pytest.approx(0.54, abs=0.03)
    assert fmean(traits.thoughts for traits in everybodys) == pytest.approx(0.06, abs=0.015)


def responder() -> tuple[str, PatientTraits]:
    return next(
        (number, traits) for number in NUMBERS if (traits := traits_of(1, number)).relief > 12 and traits.tau < 60
    )


def test_sessions_bring_relief_that_wears_off_with_the_time_since_the_last() -> None:
    number, traits = responder()
    sessions = tuple(AT + timedelta(days=day) for day in (0, 3, 7, 10, 14, 17))
    course = [latent_score(1, number, traits, sessions[:count], sessions[count - 1]) for count in range(1, 7)]
    assert all(later <= earlier for earlier, later in pairwise(course))
    assert course[-1] < traits.baseline / 2
    assert latent_score(1, number, traits, (), AT) >= traits.baseline
    assert latent_score(1, number, traits, sessions, AT + timedelta(days=17 + 200)) > traits.baseline - 1


def test_a_session_in_the_future_has_no_effect_yet() -> None:
    number, traits = responder()
    assert latent_score(1, number, traits, (AT + timedelta(days=1),), AT) == latent_score(1, number, traits, (), AT)


def test_answers_add_up_to_the_latent_score_with_the_spread_of_measuring() -> None:
    number, traits = responder()
    totals = [sum(phq9_answers(1, number, traits, 13.0, str(key))) for key in range(2000)]
    assert fmean(totals) == pytest.approx(13, abs=0.3)
    assert stdev(totals) == pytest.approx(2.5, abs=0.3)


@pytest.mark.parametrize("latent", [0.0, 9.0, 27.0])
def test_every_answer_is_between_0_and_3(latent: float) -> None:
    for number in NUMBERS[:200]:
        answers = phq9_answers(1, number, traits_of(1, number), latent, "k")
        assert len(answers) == 9
        assert set(answers) <= {0, 1, 2, 3}


def test_item_nine_is_above_zero_only_in_those_who_have_such_thoughts_when_unwell() -> None:
    for number in NUMBERS[:1000]:
        traits = traits_of(1, number)
        assert (phq9_answers(1, number, traits, 24.0, "k")[8] > 0) == traits.thoughts
        assert phq9_answers(1, number, traits, 2.0, "k")[8] == 0


def test_draws_have_their_distributions() -> None:
    assert fmean(roll("u", number) for number in range(4000)) == pytest.approx(0.5, abs=0.02)
    assert stdev(normal("n", number) for number in range(4000)) == pytest.approx(1, abs=0.05)
    assert fmean(beta(13, 7, "b", number) for number in range(2000)) == pytest.approx(0.65, abs=0.02)
