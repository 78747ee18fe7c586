"""Every page, rendered from a sample: well formed, in its shell, without anything inline."""

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest

from services.clinic.model.duplicates import Duplicate, Shared
from services.clinic.model.reads import AlertState, ProposalState
from services.clinic.model.roles import Role
from services.clinic.model.searching import Entry
from services.clinic.rendering import render
from services.clinic.views.components import Chip, FormState, Person, Tone
from services.clinic.views.compose_list import patient_row
from services.clinic.views.compose_patient import able, patient_page
from services.clinic.views.compose_today import alerts_page, today_page
from services.clinic.views.duplicates import duplicate_row
from services.clinic.views.others import (
    EnrolPage,
    ErrorPage,
    LoginPage,
    ProposalsPage,
    RulesPage,
    RuleView,
)
from services.clinic.views.patient import Choice, PatientsPage
from services.clinic.views.phone import PhonePage
from services.clinic.views.rows import proposal_view, reply_row
from services.clinic.views.settings import ChangePage, HandedPage, PasswordPage, settings_page
from services.clinic.views.today import WaitingPage
from shared.ids import derived_id
from shared.web.pages import SHARED_STATIC
from tests.unit.clinic import samples
from tests.unit.clinic.samples import NAME_OF, NOW, SHELL, SOURCES, ZONE

VOID = {"area", "br", "circle", "col", "hr", "img", "input", "line", "link", "meta", "path", "rect", "use"}


class Page(HTMLParser):
    """Reads a page and notes what must not be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.fields: list[dict[str, str | None]] = []
        self.flaws: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [name for name in [found.get("id")] if name]
        if "style" in found or any(name.startswith("on") for name in found):
            self.flaws.append(f"inline on <{tag}>")
        if tag == "label" and found.get("for"):
            self.labelled.add(str(found["for"]))
        if tag in {"input", "select", "textarea"} and found.get("type") != "hidden" and "label" not in self.open:
            self.fields.append(found)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.flaws.append(f"</{tag}> closes another element")


def rendered(name: str) -> str:
    clinician = able(Role.CLINICIAN)
    patient = samples.PATIENTS[0]
    wrong = FormState({"given_name": 'M"<b>', "sms": "12"}, {"sms": "'12' is not a phone number."})
    rule = RuleView(
        "r", "Ladder", ("Text",), 1, Chip("default"), SOURCES["interval-ladder"], Chip("off"), None, can_sign=True
    )
    row = patient_row(
        patient,
        plan=samples.a_plan(0),
        upcoming=samples.a_record().sessions[0],
        scores=samples.scores_of(0),
        alerts=1,
        proposals=1,
        now=NOW,
    )
    proposals = [
        proposal_view(samples.a_proposal(at, state), NAME_OF, ZONE, SOURCES)
        for at, state in enumerate((ProposalState.OPEN, ProposalState.APPROVED, ProposalState.HELD))
    ]
    record = replace(samples.a_record(), alerts=[samples.an_alert(0), samples.an_alert(0, AlertState.CLOSED)])
    views = {
        "today": today_page(date(2026, 12, 1), samples.a_day(), NAME_OF, now=NOW, zone=ZONE),
        "waiting": WaitingPage(
            "101 texts to read",
            "The gravest first.",
            "replies",
            2,
            3,
            replies=(reply_row(samples.a_reply(0, "Hello"), NAME_OF, ZONE, NOW),),
        ),
        "patients": PatientsPage("", (row,), None, 1),
        "patient": patient_page(patient, record, role=Role.CLINICIAN, now=NOW, zone=ZONE, sources=SOURCES),
        "enrol": EnrolPage(
            wrong,
            (Choice(ZONE, ZONE),),
            "2026-12-01",
            str(patient.id),
            1,
            patient.name,
            "born Jun 17, 1984",
            duplicates=(
                duplicate_row(patient, Duplicate(Entry.of(patient), (Shared.NAME, Shared.NUMBER), person=True)),
            ),
        ),
        "proposals": ProposalsPage(
            (proposals[0],), (proposals[2],), (proposals[1],), SOURCES["interval-ladder"], ("A rule",), may_decide=True
        ),
        "alerts": alerts_page([samples.an_alert(at, state) for at, state in enumerate(AlertState)], NAME_OF, ZONE, NOW),
        "rules": RulesPage((rule,)),
        "settings": settings_page(
            samples.A_CLINIC, samples.STAFF, own=samples.STAFF[0], form=wrong, mailbox="v@riverside.example"
        ),
        "settings-change": ChangePage(
            3,
            FormState({"oncall-0": "1"}, {"oncall-0": "No."}),
            (Choice(ZONE, ZONE),),
            (Choice("en", "English"),),
            (0, 1),
        ),
        "password": PasswordPage(FormState({}, {"old": "Wrong."}), "alma", True, 12),
        "handed": HandedPage("Kim", "kim", "secret"),
        "phone": PhonePage(
            f"/console/checkins/{derived_id('checkin')}/answers",
            False,
            Person(patient.id, patient.name),
            "PHQ-9, day 7",
            samples.QUESTIONS,
            1,
            2,
            "es",
            (Choice("en", "English"),),
            FormState({"q-1": "1"}, {"q-2": "Not answered yet: Question 2"}),
            "born Jun 17, 1984",
        ),
        "away": None,
        "login": LoginPage("token"),
        "error": ErrorPage("Nothing here", "There is nothing at this address.", "/", "Back"),
    }
    return render(name, shell=SHELL, page=views[name], able=clinician)


NAMES = [
    "today",
    "waiting",
    "patients",
    "patient",
    "enrol",
    "proposals",
    "alerts",
    "rules",
    "settings",
    "settings-change",
    "password",
    "handed",
    "phone",
    "login",
    "away",
    "error",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_well_formed_with_nothing_inline_and_every_field_labelled(name: str) -> None:
    text = rendered(name)
    page = Page(text)
    assert page.flaws == []
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert [one for one in page.fields if one.get("id") not in page.labelled] == []
    assert "<style" not in text
    assert not re.search(r"<script(?![^>]* src=)", text)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_one_heading_one_main_and_a_way_past_the_navigation(name: str) -> None:
    text = rendered(name)
    assert text.count("<h1") == 1
    assert text.count("<main") == 1
    assert 'href="#main"' in text


@pytest.mark.parametrize("name", NAMES)
def test_every_posted_form_carries_the_token_of_the_session(name: str) -> None:
    text = rendered(name)
    forms = re.findall(r'<form[^>]*method="post".*?</form>', text, re.DOTALL)
    assert all('name="csrf" value="token"' in form for form in forms)


@pytest.mark.parametrize("name", NAMES)
def test_no_address_on_a_page_names_a_person(name: str) -> None:
    addresses = re.findall(r'(?:href|action|src)="([^"]*)"', rendered(name))
    assert not [one for one in addresses if re.search("maya|okafor|phq|score", one, re.IGNORECASE) and "pmc" not in one]


def test_what_was_typed_is_shown_as_text_and_not_as_markup() -> None:
    assert "<b>" not in rendered("enrol")
    assert "M&#34;&lt;b&gt;" in rendered("enrol")


def test_every_icon_that_pages_use_is_drawn() -> None:
    drawn = set(re.findall(r'symbol id="([\w-]+)"', (SHARED_STATIC / "icons.svg").read_text()))
    used = {icon for name in NAMES for icon in re.findall(r"icons\.svg#([\w-]+)", rendered(name))}
    assert used <= drawn


def test_the_script_that_keeps_pages_fresh_is_small() -> None:
    assert len((SHARED_STATIC / "live.js").read_bytes()) < 2048


def test_a_tone_only_repeats_what_a_word_says() -> None:
    chips = re.findall(r'<span class="chip ?(\w*)">([^<]*)</span>', rendered("today"))
    assert chips
    assert all(word.strip() for _, word in chips)
    assert {tone for tone, _ in chips} <= {str(tone) for tone in Tone}


@pytest.mark.parametrize("name", ["patient", "phone", "enrol"])
def test_no_printed_sheet_is_without_whose_it_is_and_when(name: str) -> None:
    """A table's head, which may not be broken, stands on each sheet: Chromium repeated it on eight of eight."""
    printed = re.search(r'<div class="printed"[^>]*>(.*?)</div></div>', rendered(name), re.DOTALL)
    assert printed is not None
    for words in (samples.PATIENTS[0].name, "born Jun 17, 1984", "printed Tue, Dec 1"):
        assert words in printed[1]
    style = (SHARED_STATIC / "console.css").read_text(encoding="utf-8")
    assert ".printed { display: table-header-group; break-inside: avoid;" in style


@pytest.mark.parametrize("name", ["today", "waiting", "patients", "proposals", "alerts"])
def test_no_printed_list_of_patients_is_without_where_and_when(name: str) -> None:
    printed = re.search(r'<div class="printed"[^>]*>(.*?)</div></div>', rendered(name), re.DOTALL)
    assert printed is not None
    assert "printed Tue, Dec 1" in printed[1]


@pytest.mark.parametrize("name", ["today", "waiting", "patients", "proposals", "alerts"])
def test_no_name_on_a_printed_list_is_without_its_birth_date(name: str) -> None:
    """Two patients of one name are told apart on paper, where no link leads to whose row it is."""
    rows = re.findall(r'<a class="person"[^>]*><bdi>[^<]*</bdi></a>(.{0,60})', rendered(name), re.DOTALL)
    assert rows
    for after in rows:
        assert re.match(r'<span class="born">, (born \w{3} \d+, \d{4}|no birth date on record)</span>', after), after
    style = (SHARED_STATIC / "console.css").read_text(encoding="utf-8")
    assert ".printed, .born { display: none; }" in style
    assert ".born { display: inline; }" in style[style.index("@media print") :]


def test_a_list_on_a_narrow_screen_names_what_stands_in_each_row() -> None:
    assert rendered("patients").count("data-label=") == 2


def test_where_mail_that_bounced_lands_is_never_left_unsaid() -> None:
    said = rendered("settings")
    assert "comes back to <strong>v@riverside.example</strong>" in said
    assert "Keepwell does not read that mailbox" in said
