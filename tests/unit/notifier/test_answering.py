from dataclasses import replace
from uuid import UUID

import pytest

from services.notifier.model.answering import (
    LOOP_AFTER,
    Ahead,
    Answer,
    Effect,
    Kind,
    Question,
    Sender,
    effect_of,
)
from services.notifier.model.inbound import Flag, Intent, meaning_of
from shared.walltime import parse_wall

ANA, BEN = UUID(int=1), UUID(int=2)
TUESDAY = Ahead(ANA, UUID(int=10), 3, parse_wall("2026-12-15T10:00"))
THURSDAY = Ahead(ANA, UUID(int=11), 1, parse_wall("2026-12-17T10:00"))
BENS = Ahead(BEN, UUID(int=12), 1, parse_wall("2026-12-15T10:30"))
SENDER = Sender(patients=[ANA], ahead=[TUESDAY, THURSDAY])
FAMILY = Sender(patients=[ANA, BEN], ahead=[TUESDAY, BENS])
ASKED = replace(SENDER, question=Question(Kind.STOP))


def said(text: str, sender: Sender = SENDER, **more: object) -> Effect:
    return effect_of(meaning_of(text, **more), sender)  # type: ignore[arg-type]  # what a case says of it


def agreed(*sessions: Ahead) -> list[Ahead]:
    return [replace(each, agreed=each in sessions) for each in SENDER.ahead]


@pytest.mark.parametrize("text", ["C", "yes", "ok", "Y", "👍", "sí", "👍🏽", "Sounds good"])
def test_a_plain_yes_means_the_soonest_session_that_is_open(text: str) -> None:
    effect = said(text)
    assert (effect.intent, effect.sessions) == (Intent.CONFIRM, (TUESDAY,))
    assert (effect.answer, effect.others) == (Answer.CONFIRMED_LEFT, (THURSDAY,))


@pytest.mark.parametrize("text", ["YES", "yes", "sí"])
def test_a_yes_that_the_provider_reads_as_start_is_not_lost_on_a_visit(text: str) -> None:
    assert said(text, verdict=Intent.START).sessions == (TUESDAY,)
    effect = said(text, replace(SENDER, stopped=True), verdict=Intent.START)
    assert (effect.intent, effect.sessions) == (Intent.START, ())


def test_a_second_yes_is_never_spent_on_a_visit_already_agreed() -> None:
    effect = said("C", replace(SENDER, ahead=agreed(TUESDAY)))
    assert [each.session for each in effect.sessions] == [THURSDAY.session]
    assert (effect.answer, effect.others) == (Answer.CONFIRMED, ())


def test_a_yes_too_many_says_again_what_is_agreed() -> None:
    everything = replace(SENDER, ahead=agreed(TUESDAY, THURSDAY))
    assert said("C", everything).answer == Answer.CONFIRMED
    assert (said("ok", everything).intent, said("ok", everything).answer) == (Intent.CONFIRM, None)


def test_a_session_that_nobody_was_reminded_of_is_not_agreed_to_unseen() -> None:
    effect = said("C", replace(SENDER, ahead=[replace(TUESDAY, reminded=False), THURSDAY]))
    assert effect.sessions == (THURSDAY,)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("C both", (TUESDAY, THURSDAY)),
        ("C ambas", (TUESDAY, THURSDAY)),
        ("yes to all", (TUESDAY, THURSDAY)),
        ("C thursday", (THURSDAY,)),
        ("C jueves", (THURSDAY,)),
        ("ok for Thu", (THURSDAY,)),
        ("c tues at 10", (TUESDAY,)),
    ],
)
def test_a_yes_that_names_its_visits_means_those(text: str, meant: tuple[Ahead, ...]) -> None:
    assert said(text).sessions == meant


def test_a_yes_to_a_day_without_a_visit_is_asked_back() -> None:
    effect = said("C friday")
    assert (effect.sessions, effect.answer) == ((), Answer.WHICH)
    assert effect.asks == Question(Kind.CONFIRM, (TUESDAY, THURSDAY))


def test_a_yes_that_may_mean_two_patients_is_asked_back_once_and_its_answer_understood() -> None:
    effect = said("C", FAMILY)
    assert (effect.answer, effect.sessions) == (Answer.WHICH, ())
    asked = replace(FAMILY, question=effect.asks)
    for text, meant in (("1", (TUESDAY,)), ("2", (BENS,)), ("10:30", (BENS,)), ("both", (TUESDAY, BENS))):
        assert said(text, asked).sessions == meant
    again = said("C", asked)
    assert (again.answer, again.asks, again.sessions) == (Answer.OTHER, None, ())
    assert said("C 10:30", FAMILY).sessions == (BENS,)


def test_two_patients_at_one_and_the_same_time_are_left_to_a_person() -> None:
    twins = replace(FAMILY, ahead=[TUESDAY, replace(BENS, wall=TUESDAY.wall)])
    effect = said("C", twins)
    assert (effect.intent, effect.answer, effect.asks) == (Intent.OTHER, Answer.OTHER, None)


def test_agreement_to_nothing_is_for_a_person_to_read() -> None:
    nothing = replace(SENDER, ahead=[])
    assert said("C", nothing) == Effect(Intent.OTHER, Answer.OTHER)
    assert said("ok", nothing) == Effect(Intent.OTHER, None)


@pytest.mark.parametrize("text", ["No", "cancel my appointment", "can't come", "no puedo ir", "nope", "👎"])
def test_a_no_never_leaves_a_visit_agreed_in_silence(text: str) -> None:
    effect = said(text, replace(SENDER, ahead=agreed(TUESDAY)))
    assert effect.intent == Intent.DECLINE
    assert [each.session for each in effect.sessions] == [TUESDAY.session]
    assert effect.answer == Answer.DECLINED


def test_a_no_that_names_its_day_means_that_day() -> None:
    assert said("can't make thursday").sessions == (THURSDAY,)


def test_a_no_of_two_patients_is_asked_back() -> None:
    effect = said("can't come", FAMILY)
    assert (effect.intent, effect.answer) == (Intent.DECLINE, Answer.WHICH)
    answer = said("2", replace(FAMILY, question=effect.asks))
    assert (answer.intent, answer.sessions) == (Intent.DECLINE, (BENS,))


def test_cancel_ends_texts_by_the_carriers_rule_and_staff_see_that_it_may_mean_the_visit() -> None:
    effect = said("CANCEL")
    assert (effect.intent, effect.ends_texts) == (Intent.STOP, True)
    assert Flag.MAY_MEAN_SESSION in effect.flags
    unclear = said("cancel please")
    assert (unclear.intent, unclear.answer) == (Intent.DOUBT, Answer.DOUBT)


def test_yes_after_stop_is_a_start_and_confirms_nothing_and_a_thumb_is_neither() -> None:
    stopped = replace(SENDER, stopped=True)
    assert said("YES", stopped).intent == Intent.START
    assert said("👍", stopped).intent == Intent.CONFIRM
    assert not said("ok", stopped).settles


def test_a_stop_that_the_provider_answers_is_not_answered_twice() -> None:
    assert said("STOP").answer is None
    assert said("please stop").answer == Answer.STOPPED
    assert said("please stop", replace(SENDER, stopped=True)).answer is None
    assert said("ALTO", verdict=Intent.STOP).answer is None
    assert said("AYUDA", verdict=Intent.HELP).answer is None


def test_the_providers_verdict_wins_over_the_words() -> None:
    assert said("No", verdict=Intent.STOP).ends_texts
    assert said("Hola", replace(SENDER, stopped=True), verdict=Intent.START).intent == Intent.START


@pytest.mark.parametrize("text", ["enough", "how do I unsubscribe my mom", "stop calling me", "not interested"])
def test_in_doubt_one_question_is_asked_and_no_second(text: str) -> None:
    effect = said(text)
    assert (effect.intent, effect.answer, effect.asks) == (Intent.DOUBT, Answer.DOUBT, Question(Kind.STOP))
    again = said(text, ASKED)
    assert (again.answer, again.asks, again.settles) == (None, None, False)


@pytest.mark.parametrize("text", ["STOP", "yes", "y", "sí", "please stop"])
def test_the_answer_that_texts_should_end_ends_them(text: str) -> None:
    effect = said(text, ASKED)
    assert (effect.intent, effect.ends_texts, effect.settles) == (Intent.STOP, True, True)


@pytest.mark.parametrize("text", ["KEEP", "no", "No, don't", "seguir", "START", "C"])
def test_the_answer_that_texts_go_on_lets_them_go_on(text: str) -> None:
    effect = said(text, ASKED)
    assert (effect.ends_texts, effect.settles) == (False, True)


def test_small_talk_is_no_answer_to_the_question() -> None:
    effect = said("what a day", ASKED)
    assert (effect.intent, effect.settles) == (Intent.OTHER, False)


def test_a_wrong_number_is_told_as_that_and_not_as_stop() -> None:
    effect = said("wrong number, this is not Pat")
    assert (effect.intent, effect.answer, effect.ends_texts) == (Intent.WRONG_NUMBER, Answer.WRONG, False)
    assert said("wrong number stop texting me").ends_texts


def test_machines_that_answer_one_another_fall_silent_and_a_person_who_says_something_new_is_answered() -> None:
    looping = replace(SENDER, repeats=LOOP_AFTER + 1)
    assert said("hello?", looping).answer is None
    assert Flag.REPEATED in said("hello?", looping).flags
    assert said("hello?").answer == Answer.OTHER
    assert said("please stop", looping).answer == Answer.STOPPED


def test_an_automatic_answer_uses_up_nobodys_turn() -> None:
    effect = said("I'm driving with Do Not Disturb While Driving turned on. I'll see your message when I arrive.")
    assert (effect.intent, effect.answer) == (Intent.OTHER, None)
    assert Flag.AUTOMATIC in effect.flags


def test_a_number_that_is_nobodys_gets_help_and_names_nobody() -> None:
    nobody = Sender(patients=[])
    assert said("hi", nobody).answer == Answer.UNKNOWN
    assert said("C", nobody) == Effect(Intent.OTHER, Answer.UNKNOWN)
    assert said("HELP", nobody).answer == Answer.HELP
    assert said("STOP", nobody).ends_texts
    assert said("no more texts", nobody).ends_texts
    assert said("enough", nobody).asks is None


@pytest.mark.parametrize(
    ("text", "media", "answer"),
    [("running late", 0, Answer.LATE), ("", 1, Answer.PICTURE), ("what time is it?", 0, Answer.OTHER)],
)
def test_the_answer_fits_what_was_written(text: str, media: int, answer: Answer) -> None:
    assert said(text, media=media).answer == answer
    assert said(text, replace(SENDER, answered=frozenset({answer})), media=media).answer is None
