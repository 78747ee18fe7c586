"""Every template of every service reads only what its views have: on each branch, whatever a sample shows."""

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from jinja2 import DictLoader, Environment, StrictUndefined

from services.assessments.forms import Form
from services.assessments.rendering import numbers
from services.assessments.store.read_models import Clinic
from services.clinic.rendering import ENVIRONMENT as CONSOLE
from services.clinic.views.components import Shell
from services.clinic.views.others import EnrolPage, ErrorPage, LoginPage, ProposalsPage, RulesPage
from services.clinic.views.patient import Able, PatientPage, PatientsPage
from services.clinic.views.phone import PhonePage
from services.clinic.views.settings import ChangePage, HandedPage, PasswordPage, SettingsPage
from services.clinic.views.today import AlertsPage, TodayPage, WaitingPage
from services.sandbox.conversation import Bubble, Handset
from services.sandbox.pages import linked
from services.sandbox.readable_mail import ReadableMail
from shared.web.pages import SHARED_TEMPLATES, templates
from tests.support.template_types import TemplateTypes

SERVICES = Path(__file__).parent.parent.parent / "services"


def say(key: str, **placed: object) -> str:
    return f"{key} {placed}"


def environment(service: str, **filters: Any) -> Environment:
    made = templates(SERVICES / service / "templates")
    made.filters.update(filters)
    return made


PATIENTS = {"say": say, "language": str, "other": str, "clinic": Clinic | None, "stylesheet": str, "alerted": bool}
PAGES: dict[str, tuple[Environment, dict[str, dict[str, Any]]]] = {
    "clinic": (
        CONSOLE,
        {
            name: {"shell": Shell, "able": Able, "page": view}
            for name, view in {
                "today": TodayPage,
                "waiting": WaitingPage,
                "patients": PatientsPage,
                "patient": PatientPage,
                "enrol": EnrolPage,
                "proposals": ProposalsPage,
                "alerts": AlertsPage,
                "rules": RulesPage,
                "settings": SettingsPage,
                "settings-change": ChangePage,
                "password": PasswordPage,
                "handed": HandedPage,
                "phone": PhonePage,
            }.items()
        }
        | {"login": {"page": LoginPage}, "error": {"page": ErrorPage}, "away": {}},
    ),
    "assessments": (
        environment("assessments", numbers=numbers),
        {
            "form": PATIENTS
            | get_type_hints(Form)
            | {"stays": bool, "mark": str, "name_start": str | None, "notice": str},
            "closed": PATIENTS | {"why": str, "stays": bool},
            "thanks": PATIENTS | {"stays": bool},
        },
    ),
    "sandbox": (
        environment("sandbox", linked=linked),
        {
            "phones": {"now": str, "handsets": list[Handset], "flaw": str, "typed": str},
            "phone": {
                "now": str,
                "handset": str,
                "number": str,
                "owner": str,
                "peer": str,
                "conversation": list[Bubble],
            },
            "mails": {"now": str, "mails": list[tuple[ReadableMail, str]], "total": int},
            "mail": {"now": str, "letter": ReadableMail, "when": str},
            "reset": {"now": str, "texts": int, "mails": int},
        },
    ),
    "shared": (templates(), {"astray": {"title": str, "text": str}}),
}


def followed(service: str) -> TemplateTypes:
    found, pages = PAGES[service]
    types = TemplateTypes(found)
    for name, given in pages.items():
        types.page(f"{name}.html", **given)
    return types


@pytest.mark.parametrize("service", PAGES)
def test_no_page_reads_a_name_that_its_view_does_not_have(service: str) -> None:
    assert sorted(followed(service).flaws) == []


@pytest.mark.parametrize("service", PAGES)
def test_no_template_and_no_macro_is_left_unread(service: str) -> None:
    types = followed(service)
    folder = SHARED_TEMPLATES if service == "shared" else SERVICES / service / "templates"
    assert {file.name for file in folder.glob("*.html")} <= types.seen.keys()
    assert types.macros() - types.used == set()


def named_by(file: str, method: str) -> dict[str, set[str]]:
    """Return the names that a module gives to each template which it renders."""
    found: dict[str, set[str]] = {}
    for call in ast.walk(ast.parse((SERVICES / file).read_text(encoding="utf-8"))):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == method:
            first = call.args[0] if call.args else None
            if isinstance(first, ast.Constant) and str(first.value).endswith(".html"):
                names = {pair.arg for pair in call.keywords if pair.arg}
                name = str(first.value).removesuffix(".html")
                found[name] = found.get(name, set()) | names
    return found


@pytest.mark.parametrize(
    ("service", "file", "method", "always"),
    [
        ("assessments", "assessments/rendering.py", "render", set(PATIENTS) | {"stays"}),
        ("sandbox", "sandbox/pages.py", "_page", {"now"}),
    ],
)
def test_a_page_is_followed_with_the_names_that_it_is_rendered_with(
    service: str, file: str, method: str, always: set[str]
) -> None:
    named = named_by(file, method)
    assert named
    for name, given in named.items():
        assert given | always == set(PAGES[service][1][name]) | always, name


@dataclass(frozen=True)
class Row:
    id: int
    words: tuple[str, ...] = ()

    @property
    def shown(self) -> "Row | None":
        return None


@dataclass(frozen=True)
class View:
    rows: tuple[Row, ...]


BASE = "{% block main %}{% endblock %}{% block foot %}{{ page.rows | length }}{% endblock %}"
MACROS = "{% macro line(it) %}{{ it.id }}{% if it.words %}{{ it.WORD }}{% endif %}{% endmacro %}"


@pytest.mark.parametrize(
    ("text", "flaws"),
    [
        ("{{ page.row }}", 1),
        ("{% for row in page.rows %}{{ row.id }}{% else %}{{ page.none }}{% endfor %}", 1),
        ("{% if false %}{{ page.rows[0].name }}{% endif %}", 1),
        ("{% for row in page.rows %}{{ row.shown.id }}{{ row.shown.name }}{% endfor %}", 1),
        ("{% set first = page.rows[0] %}{{ first.id ~ first.name }}", 1),
        ("{{ pages.rows }}", 1),
        ("{% for row in page.rows %}{{ macros.line(row) }}{% endfor %}", 1),
        ("{{ macros.lines(page) }}", 1),
        ("{% if page.gone is defined and page.gone.on %}{{ page.rows }}{% endif %}", 0),
        (
            "{% for row in page.rows %}{% for word in row.words %}{{ word | upper }}{% endfor %}{% endfor %}",
            0,
        ),
    ],
)
def test_a_renamed_field_is_found_on_a_branch_that_no_sample_takes(text: str, flaws: int) -> None:
    page = f"{{% extends 'base' %}}{{% import 'macros' as macros %}}{{% block main %}}{text}{{% endblock %}}"
    made = Environment(loader=DictLoader({"base": BASE, "macros": MACROS, "p": page}), undefined=StrictUndefined)  # noqa: S701 - nothing is rendered
    types = TemplateTypes(made)
    types.page("p", page=View)
    assert len(types.flaws) == flaws, types.flaws


@pytest.mark.parametrize("service", PAGES)
def test_no_environment_shows_a_name_that_there_is_not_as_nothing(service: str) -> None:
    assert PAGES[service][0].undefined is StrictUndefined
