"""what a course of questions follows from"""

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
PHASE = "before"  # only adds

_DECIDED = """
    UPDATE scheduler.plans p
       SET decided_days = d.interval_days, decided_on = (d.decided_at AT TIME ZONE whose.zone)::date
      FROM (SELECT DISTINCT ON (plan) plan, patient, interval_days, decided_at
              FROM scheduler.decisions WHERE outcome = 'applied' ORDER BY plan, decided_at DESC) d
      JOIN scheduler.patients whose ON whose.id = d.patient
     WHERE d.plan = p.id AND p.phase = 'maintenance' AND p.interval_days = d.interval_days
"""


def upgrade() -> None:
    for name, kind in (
        ("decided_days", sa.Integer()),
        ("decided_on", sa.Date()),
        ("before_on", sa.Date()),
        ("measured_on", sa.Date()),
    ):
        op.add_column("plans", sa.Column(name, kind, nullable=True), schema="scheduler")
    op.add_column(
        "sessions",
        sa.Column("kind", sa.Text(), server_default=sa.text("'treatment'"), nullable=False),
        schema="scheduler",
    )
    op.add_column(
        "sessions",
        sa.Column("not_asked", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        schema="scheduler",
    )
    # The interval that holds was a clinician's, where it is what was decided last; from now on a plan says so itself.
    op.execute(_DECIDED)


def downgrade() -> None:
    for name in ("not_asked", "kind"):
        op.drop_column("sessions", name, schema="scheduler")
    for name in ("measured_on", "before_on", "decided_on", "decided_days"):
        op.drop_column("plans", name, schema="scheduler")
