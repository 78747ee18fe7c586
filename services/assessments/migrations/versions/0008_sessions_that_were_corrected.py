"""sessions that were corrected"""

from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
PHASE = "before"  # a column that may be empty from now on takes nothing away from older code


def upgrade() -> None:
    op.alter_column("sessions", "attended_on", nullable=True, schema="assessments")


def downgrade() -> None:
    op.execute("DELETE FROM assessments.sessions WHERE attended_on IS NULL")
    op.alter_column("sessions", "attended_on", nullable=False, schema="assessments")
