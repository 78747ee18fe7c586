"""links that die with their way, scores that were voided, answers kept aside"""

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
PHASE = "before"  # only adds


def upgrade() -> None:
    op.create_table(
        "further_answers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("checkin", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column("instrument_version", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False, comment="late, again or replaced"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["checkin"],
            ["assessments.checkins.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        schema="assessments",
        comment="answers that were sent and do not count as a score: none is thrown away",
    )
    op.create_index("further_answers_checkin", "further_answers", ["checkin", "id"], unique=False, schema="assessments")
    op.create_index("further_answers_patient", "further_answers", ["patient", "id"], unique=False, schema="assessments")
    op.create_table(
        "voided_scores",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("checkin", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("plan", sa.Uuid(), nullable=True),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column("instrument_version", sa.Integer(), nullable=False),
        sa.Column("asked_for", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=False, comment="since when it does not count"),
        sa.Column(
            "voided_by", sa.Text(), nullable=True, comment="null: the patient changed the answers before all was sent"
        ),
        sa.Column("void_reason", sa.Text(), nullable=True, comment="sealed"),
        sa.Column("replaced_by", sa.Uuid(), nullable=True, comment="the score that counts in its place"),
        sa.Column("seconds_after", sa.Integer(), nullable=True, comment="from the arrival of its link to the answer"),
        sa.ForeignKeyConstraint(
            ["checkin"],
            ["assessments.checkins.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        schema="assessments",
        comment="scores that do not count any more: nothing but their history reads them",
    )
    op.create_index(
        op.f("ix_assessments_voided_scores_checkin"), "voided_scores", ["checkin"], unique=False, schema="assessments"
    )
    op.create_index("voided_scores_patient", "voided_scores", ["patient", "id"], unique=False, schema="assessments")
    op.add_column(
        "checkins",
        sa.Column("text_message", sa.Uuid(), nullable=True, comment="the message that the next five speak of"),
        schema="assessments",
    )
    op.add_column(
        "checkins",
        sa.Column(
            "sent_at", sa.DateTime(timezone=True), nullable=True, comment="when the link that holds was last sent"
        ),
        schema="assessments",
    )
    op.add_column(
        "checkins",
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True, comment="when it last arrived"),
        schema="assessments",
    )
    op.add_column(
        "patients",
        sa.Column("given_name", sa.Text(), nullable=True, comment="sealed; null: not told since it is kept"),
        schema="assessments",
    )
    op.add_column(
        "patients",
        sa.Column(
            "ways",
            sa.ARRAY(sa.Text()),
            nullable=True,
            comment="fingerprints of the patient's contact points; null: not told since",
        ),
        schema="assessments",
    )
    op.create_index("patients_ways", "patients", ["ways"], unique=False, schema="assessments", postgresql_using="gin")
    op.add_column(
        "scores",
        sa.Column("entered_by", sa.Text(), nullable=True, comment="who took the answers by phone, or corrected them"),
        schema="assessments",
    )


def downgrade() -> None:
    op.drop_column("scores", "entered_by", schema="assessments")
    op.drop_index("patients_ways", table_name="patients", schema="assessments", postgresql_using="gin")
    op.drop_column("patients", "ways", schema="assessments")
    op.drop_column("patients", "given_name", schema="assessments")
    op.drop_column("checkins", "delivered_at", schema="assessments")
    op.drop_column("checkins", "sent_at", schema="assessments")
    op.drop_column("checkins", "text_message", schema="assessments")
    op.drop_index("voided_scores_patient", table_name="voided_scores", schema="assessments")
    op.drop_index(op.f("ix_assessments_voided_scores_checkin"), table_name="voided_scores", schema="assessments")
    op.drop_table("voided_scores", schema="assessments")
    op.drop_index("further_answers_patient", table_name="further_answers", schema="assessments")
    op.drop_index("further_answers_checkin", table_name="further_answers", schema="assessments")
    op.drop_table("further_answers", schema="assessments")
