"""plans that have ended"""

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.add_column(
        "seen_plans",
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        schema="clinic",
    )
    # A discharge ended every plan of its patient.
    op.execute(
        "UPDATE clinic.seen_plans SET active = false"
        " WHERE patient IN (SELECT id FROM clinic.patients WHERE state = 'discharged')"
    )


def downgrade() -> None:
    op.drop_column("seen_plans", "active", schema="clinic")
