import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.assessments.model.alert import AlertLevel, level_of
from services.assessments.model.scoring import AnswersRefusedError, flags, from_list, missing, score
from services.assessments.packs import Packs

PACKS = Packs.load()
PHQ9 = PACKS.get("phq-9")
CHECK = PACKS.get("post-session")

nine = st.lists(st.integers(0, 3), min_size=9, max_size=9)


@given(nine)
def test_the_total_of_a_phq_9_is_the_sum_of_its_nine_items(answers: list[int]) -> None:
    assert score(PHQ9, from_list(PHQ9, answers)).total == sum(answers)


@given(nine, st.integers(0, 3))
def test_the_difficulty_question_is_kept_and_not_counted(answers: list[int], difficulty: int) -> None:
    scored = score(PHQ9, from_list(PHQ9, answers, {"difficulty": difficulty}))
    assert scored.total == sum(answers)
    assert scored.answers["difficulty"] == difficulty


@given(nine)
def test_item_9_above_zero_is_a_flag_whatever_the_total(answers: list[int]) -> None:
    assert ("item9" in score(PHQ9, from_list(PHQ9, answers)).flags) == (answers[8] > 0)


@pytest.mark.parametrize(
    ("total", "band"),
    [
        (0, "minimal"),
        (4, "minimal"),
        (5, "mild"),
        (9, "mild"),
        (10, "moderate"),
        (14, "moderate"),
        (15, "moderately severe"),
        (19, "moderately severe"),
        (20, "severe"),
        (27, "severe"),
    ],
)
def test_bands_begin_and_end_where_they_are_published(total: int, band: str) -> None:
    answers = [3] * (total // 3) + ([total % 3] if total % 3 else [])
    answers += [0] * (9 - len(answers))
    assert score(PHQ9, from_list(PHQ9, answers)).band == band


@pytest.mark.parametrize("count", [0, 8, 10, 11])
def test_a_list_of_another_length_is_refused_with_the_right_one(count: int) -> None:
    with pytest.raises(AnswersRefusedError, match=rf"takes 9 answers; {count} came. Send difficulty by its own name"):
        from_list(PHQ9, [0] * count)


def test_answers_outside_the_scale_are_refused_with_every_place() -> None:
    with pytest.raises(AnswersRefusedError) as refused:
        from_list(PHQ9, [0, 4, 0, 0, -1, 0, 0, 0, 0])
    assert [(refusal.place, refusal.detail) for refusal in refused.value.refusals] == [
        (
            "/answers/1",
            "4 is outside 0 to 3. A list that is coded 1 to 4 must be brought to 0 to 3 first: take 1 off each.",
        ),
        ("/answers/4", "-1 is outside 0 to 3."),
    ]


def test_an_item_that_does_not_exist_is_refused() -> None:
    with pytest.raises(AnswersRefusedError, match="phq-9 has no item '10'"):
        score(PHQ9, {str(number): 0 for number in range(1, 11)})


def test_a_half_answered_form_has_no_score_and_says_what_is_missing() -> None:
    answers = {"1": 2, "9": 1}
    assert [item.id for item in missing(PHQ9, answers)] == ["2", "3", "4", "5", "6", "7", "8"]
    with pytest.raises(AnswersRefusedError, match="/answers/2: This answer is missing"):
        score(PHQ9, answers)


def test_a_half_answered_form_still_flags_item_9() -> None:
    assert flags(PHQ9, {"9": 1}) == ("item9",)


def test_our_own_check_has_no_total_and_flags_each_yes() -> None:
    answers = from_list(CHECK, [6, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1])
    scored = score(CHECK, answers)
    assert (scored.total, scored.band) == (None, None)
    assert scored.flags == ("side-effect:nausea", "bladder:blood")
    assert scored.answers["mood"] == 6


def test_a_low_mood_is_no_flag_by_itself() -> None:
    assert score(CHECK, from_list(CHECK, [0] * 11)).flags == ()


@pytest.mark.parametrize(
    ("answer", "level"), [(0, None), (1, AlertLevel.ELEVATED), (2, AlertLevel.HIGH), (3, AlertLevel.HIGH)]
)
def test_the_level_of_an_alert_follows_the_answer(answer: int, level: AlertLevel | None) -> None:
    assert level_of(PHQ9, {"9": answer}) is level


@pytest.mark.parametrize(
    ("answers", "level"),
    [
        ({"9": 3}, None),
        ({"mood": 1}, None),
        ({"mood": 0}, AlertLevel.ELEVATED),
        ({"mood": 0, "bladder-blood": 1}, AlertLevel.ELEVATED),
        ({"bladder-blood": 1}, None),
    ],
)
def test_mood_at_its_worst_is_never_thanked_for_without_whom_to_call(
    answers: dict[str, int], level: AlertLevel | None
) -> None:
    assert level_of(CHECK, answers) is level
