"""Reading forms and filling them in."""

import pytest

from services.sandbox.model.forms import Mind, fill, form_to_answer

MIND = Mind(items=(0, 1, 2, 3, 0, 1, 2, 3, 1), unwell=0.5, salt="s")


def radios(name: str, values: str = "0123") -> str:
    inputs = "".join(
        f'<label><input type=radio name="{name}" value="{value}" required>{value}</label>' for value in values
    )
    return f"<fieldset><legend>{name}</legend>{inputs}</fieldset>"


PHQ9 = (
    '<form method="post" action="/c/tok"><input type="hidden" name="csrf" value="x&amp;y">'
    + "".join(radios(f"phq-9.{item}") for item in range(1, 10))
    + radios("difficulty")
    + '<textarea name="words"></textarea><button>Send</button></form>'
)


def test_nine_questions_take_the_nine_answers_in_order() -> None:
    form = form_to_answer(PHQ9, answered=False)
    assert form is not None
    sent, position = fill(form, MIND, 0)
    answers = dict(sent)
    assert [answers[f"phq-9.{item}"] for item in range(1, 10)] == list("012301231")
    assert answers["csrf"] == "x&y"
    assert answers["difficulty"] in set("0123")
    assert answers["words"] == ""
    assert position == 9


def test_a_short_form_before_the_nine_questions_takes_none_of_their_answers() -> None:
    form = form_to_answer(PHQ9, answered=True)
    assert form is not None
    answers = dict(fill(form, MIND, 3)[0])
    assert [answers[f"phq-9.{item}"] for item in range(1, 10)] == list("012301231")


def test_one_question_a_page_goes_on_where_the_last_page_ended() -> None:
    position, said = 0, ""
    for item in range(1, 10):
        form = form_to_answer(f"<form method=post>{radios(f'i{item}')}</form>", answered=item > 1)
        assert form is not None
        sent, position = fill(form, MIND, position)
        said += sent[0][1]
    assert said == "012301231"


def test_buttons_that_are_answers_are_one_choice() -> None:
    buttons = "".join(f'<button name="i1" value="{value}">{value}</button>' for value in "0123")
    form = form_to_answer(f'<form method=post action="next">{buttons}</form>', answered=False)
    assert form is not None
    assert fill(form, MIND, 3) == ([("i1", "3")], 4)


@pytest.mark.parametrize("unwell", [0.0, 0.5, 1.0])
def test_other_questions_are_answered_by_mood_and_within_their_range(unwell: float) -> None:
    page = (
        f"<form method=post>{radios('effects', 'abc')}"
        '<select name="sleep"><option value="">-</option><option value="good"><option value="bad"></select>'
        '<input type=range name="mood" min=0 max=10><input type=checkbox name="read" required>'
        '<input type=checkbox name="news"><input name="nick" required></form>'
    )
    form = form_to_answer(page, answered=False)
    assert form is not None
    sent = dict(fill(form, Mind(items=(), unwell=unwell, salt="s"), 0)[0])
    assert sent["effects"] in set("abc")
    assert sent["sleep"] in {"good", "bad"}
    assert 0 <= int(sent["mood"]) <= 10
    assert sent["read"] == "on"
    assert "news" not in sent
    assert sent["nick"] == "ok"


def test_troubles_are_rarely_said_yes_to_and_the_well_rate_their_mood_high() -> None:
    form = form_to_answer(
        f"<form method=post>{radios('mood', '0123456789X')}{radios('blood', 'ny')}</form>", answered=False
    )
    assert form is not None
    well = [dict(fill(form, Mind(items=(), unwell=0.1, salt=str(salt)), 0)[0]) for salt in range(500)]
    unwell = [dict(fill(form, Mind(items=(), unwell=0.9, salt=str(salt)), 0)[0]) for salt in range(500)]
    assert {said["mood"] for said in well} <= set("789X")
    assert {said["mood"] for said in unwell} <= set("0123")
    assert 5 <= sum(said["blood"] == "y" for said in well) <= 40


def test_a_start_button_is_pressed_but_not_one_after_the_last_answer() -> None:
    start = '<form method="post" action="/c/tok"><button>Begin</button></form>'
    assert form_to_answer(start, answered=False) is not None
    assert form_to_answer(start, answered=True) is None


def test_a_page_without_a_form_to_send_is_the_end() -> None:
    assert form_to_answer('<form method="get"><input name="q"></form><p>Thank you</p>', answered=False) is None
    assert form_to_answer("<p>This link has expired.", answered=False) is None


def test_the_form_with_the_questions_is_chosen_before_the_one_for_the_language() -> None:
    language = '<form method=post action="/lang"><button name="language" value="es">Español</button></form>'
    form = form_to_answer(language + PHQ9, answered=False)
    assert form is not None
    assert form.action == "/c/tok"
