"""Settings that would harm somebody are refused with the reason."""

from dataclasses import replace

import pytest

from services.clinic.model.flaws import FlawedError
from services.clinic.model.settings import GivenClinic, check_settings
from shared.languages import Language
from tests.unit.clinic.samples import A_CLINIC

GIVEN = GivenClinic(
    name=A_CLINIC.name,
    sender_name="Riverside",
    zone=A_CLINIC.zone,
    phone=A_CLINIC.phone,
    texts_from="08:00",
    texts_until="21:00",
    hours_reason="",
    crisis={Language.EN: "Call 988.", Language.ES: "Llame al 988."},
    oncall=tuple((one.kind, one.value) for one in A_CLINIC.oncall),
)


def flaws_of(**changes: object) -> dict[str, str]:
    with pytest.raises(FlawedError) as flawed:
        check_settings(replace(GIVEN, **changes), A_CLINIC)  # type: ignore[arg-type]
    return {flaw.pointer: flaw.detail for flaw in flawed.value.flaws}


@pytest.mark.parametrize("text", ["call us", "Call us 24/7.", "llame a la clínica", "Since 2019 we are here for you."])
@pytest.mark.parametrize("language", list(Language))
def test_a_crisis_text_never_leads_nowhere(text: str, language: Language) -> None:
    flaws = flaws_of(crisis=GIVEN.crisis | {language: text})
    assert "number" in flaws[f"/crisis/{language}"]
    assert "988" in flaws[f"/crisis/{language}"]


@pytest.mark.parametrize(
    "text", ["988", "Call 911 now.", "Text HOME to 741741.", "Call (202) 555-0123.", "Llame al +34 024.", "116 123"]
)
def test_a_crisis_text_with_a_number_to_reach_is_kept(text: str) -> None:
    assert (
        check_settings(replace(GIVEN, crisis={Language.EN: text, Language.ES: text}), A_CLINIC).crisis[Language.EN]
        == text
    )


@pytest.mark.parametrize(
    ("name", "neutral"),
    [
        ("Ketamine Clinic", "Riverside"),
        ("Harbor Ketamine", "Harbor"),
        ("Harbor TMS Center", "Harbor"),
        ("ESKETAMINE by Harbor", "by Harbor"),
        ("Spravato Harbor", "Harbor"),
        ("Keta Mine Harbor", "Riverside"),
        ("Lakeside Psychiatry", "Lakeside"),
        ("Clínica de Psiquiatría Ríos", "Ríos"),
        ("Clínica de ketamina", "Riverside"),
        ("Salud Mental Ríos", "Ríos"),
        ("Terapia Ríos", "Ríos"),
        ("Estimulación magnética", "Riverside"),
        ("Depression Center", "Riverside"),
        ("Ríos Psicología", "Ríos"),
        ("Harbor rTMS", "Harbor"),
        ("NeuroHarbor", "Riverside"),
    ],
)
def test_a_senders_name_never_tells_the_speciality(name: str, neutral: str) -> None:
    told = flaws_of(sender_name=name)["/sender_name"]
    assert repr(name) in told
    assert f"such as {neutral!r}" in told


@pytest.mark.parametrize("name", ["Riverside", "Dr. Ríos", "Harbor Clinic", "Keepwell", "Monumental Health", "Ibarra"])
def test_a_neutral_name_is_kept(name: str) -> None:
    assert check_settings(replace(GIVEN, sender_name=name), A_CLINIC).sender_name == name


@pytest.mark.parametrize(
    ("begins", "ends", "pointers"),
    [
        ("00:00", "23:59", {"/quiet_from", "/quiet_until"}),
        ("07:59", "21:00", {"/quiet_from"}),
        ("08:00", "21:01", {"/quiet_until"}),
    ],
)
def test_a_clinic_never_texts_at_night_without_a_reason_that_somebody_gave(
    begins: str, ends: str, pointers: set[str]
) -> None:
    assert set(flaws_of(texts_from=begins, texts_until=ends)) == pointers
    assert set(flaws_of(texts_from=begins, texts_until=ends, hours_reason=" ")) == pointers
    kept = check_settings(
        replace(GIVEN, texts_from=begins, texts_until=ends, hours_reason="Night shift workers"), A_CLINIC
    )
    assert (kept.texts_from, kept.texts_until, kept.hours_reason) == (begins, ends, "Night shift workers")


def test_usual_hours_need_no_reason_and_keep_none() -> None:
    assert check_settings(replace(GIVEN, hours_reason="Night shift workers"), A_CLINIC).hours_reason is None
