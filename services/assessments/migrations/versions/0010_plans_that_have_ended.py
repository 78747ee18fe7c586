"""plans that have ended"""

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.add_column(
        "plans",
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        schema="assessments",
    )
    # A discharge ended every plan of its patient.
    op.execute(
        "UPDATE assessments.plans SET active = false"
        " WHERE patient IN (SELECT id FROM assessments.patients WHERE discharged)"
    )


def downgrade() -> None:
    op.drop_column("plans", "active", schema="assessments")
