import pytest

from services.notifier.model.inbound import Intent, meaning_of


@pytest.mark.parametrize(
    "text", ["STOP", "stop", " Stop \n", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"]
)
def test_each_keyword_ends_texts_and_is_answered_by_the_provider(text: str) -> None:
    meaning = meaning_of(text)
    assert meaning.intent == Intent.STOP
    assert meaning.by_provider


@pytest.mark.parametrize(
    "text",
    [
        "STOP PLEASE",
        "stop.",
        "Stop!!",
        "STOP stop",
        "please stop texting me",
        "Please, STOP sending me these messages.",
        "stop all texts",
        "Please stop sending so many of these texts",
        "don't text me any more",
        "Don’t send me any more messages",  # noqa: RUF001 - what phones type
        "do not contact me",
        "I no longer want to receive your messages",
        "no more texts please",
        "opt out",
        "opt me out please",
        "take me off your list",
        "unsubscribe me",
        "para",
        "Para por favor",
        "ALTO",
        "No más",
        "no más mensajes",
        "no quiero recibir más mensajes",
        "Por favor no me escriban",
        "dejen de mandarme mensajes",
        "paren de enviarme mensajes",
        "quiero darme de baja",
        "Cancelar",
    ],
)
def test_any_reasonable_wording_ends_texts(text: str) -> None:
    meaning = meaning_of(text)
    assert meaning.intent == Intent.STOP
    assert not meaning.by_provider


@pytest.mark.parametrize(
    "text",
    [
        "don't stop texting me, it helps",
        "I can't stop crying",
        "I want it to end",
        "I will stop by the office at ten",
        "no puedo parar de llorar",
        "para mi hija está bien",
        "can't confirm yet",
        "can I come at 3 instead?",
        "C you later? what time is it again",
        "",
        "I sent you a message",
    ],
)
def test_what_is_not_clear_goes_to_the_clinic(text: str) -> None:
    assert meaning_of(text).intent == Intent.OTHER


@pytest.mark.parametrize(
    "text", ["C", "c", "c.", " C ", "Confirm", "confirmo", "Sí, confirmo", "Ok C", "C, thank you", "(c)"]
)
def test_c_and_its_kin_confirm(text: str) -> None:
    assert meaning_of(text).intent == Intent.CONFIRM


@pytest.mark.parametrize("text", ["START", "unstop", "Start again please", "empezar"])
def test_start_words_bring_texts_back(text: str) -> None:
    assert meaning_of(text).intent == Intent.START


@pytest.mark.parametrize("text", ["YES", "yes", "Sí", "Yes please"])
def test_yes_is_agreement_whose_meaning_depends_on_what_came_before(text: str) -> None:
    assert meaning_of(text).intent == Intent.AGREE


@pytest.mark.parametrize("text", ["HELP", "info", "Ayuda", "help!"])
def test_help_words_ask_for_help(text: str) -> None:
    assert meaning_of(text).intent == Intent.HELP
