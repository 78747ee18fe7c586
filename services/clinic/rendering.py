"""Turns a view into a page."""

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment

from services.clinic.views.components import FormState, say_grade
from shared.ids import new_id
from shared.web.pages import templates


def _environment() -> Environment:
    made = templates(Path(__file__).parent / "templates")
    made.globals["new_key"] = lambda: str(new_id())
    made.globals["empty_form"] = FormState()
    made.filters["say_grade"] = say_grade
    return made


ENVIRONMENT: Final = _environment()


def render(template: str, **views: Any) -> str:
    """Return the page; the template's name is that of the page."""
    return ENVIRONMENT.get_template(f"{template}.html").render(views)
