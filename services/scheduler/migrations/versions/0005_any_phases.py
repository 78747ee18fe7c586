"""any phases"""

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
PHASE = "before"  # only allows more


def upgrade() -> None:
    op.drop_constraint("plans_phase", "plans", schema="scheduler", type_="check")


def downgrade() -> None:
    op.create_check_constraint("plans_phase", "plans", "phase IN ('induction', 'maintenance')", schema="scheduler")
