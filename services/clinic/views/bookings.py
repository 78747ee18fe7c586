"""A session that is booked away from the day on which it is due, as staff read it."""

from services.clinic.model.worklist import OffWindow
from services.clinic.views.components import say_short_date
from services.clinic.views.rows import Names, person
from services.clinic.views.today import OffWindowRow


def off_window_row(one: OffWindow, names: Names) -> OffWindowRow:
    """Return the row of one session."""
    booked, due = say_short_date(one.starts_on), say_short_date(one.due_on)
    text = (
        f"Booked for {booked}, due by {due}: ask whether an earlier time suits."
        if one.late
        else f"Booked for {booked}, not due before {due}: ask whether a later time suits."
    )
    return OffWindowRow(
        session=one.session,
        person=person(one.patient, names),
        text=text,
        due_on=one.due_on.isoformat(),
        starts_at=one.starts_at_utc.isoformat(),
    )
