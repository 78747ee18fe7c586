"""who comes back, records that are joined, and reasons"""

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
PHASE = "before"  # only adds, and lets go of a rule that older code keeps by itself


def upgrade() -> None:
    op.create_table(
        "reasons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic", sa.Uuid(), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=False),
        sa.Column("thing", sa.Uuid(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient"],
            ["clinic.patients.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        schema="clinic",
        comment="why staff did what they did, in their words",
    )
    op.create_index("reasons_patient", "reasons", ["patient", "at"], unique=False, schema="clinic")
    op.add_column("patients", sa.Column("earlier", sa.Uuid(), nullable=True), schema="clinic")
    op.add_column("patients", sa.Column("joined_into", sa.Uuid(), nullable=True), schema="clinic")
    op.create_index(
        "patients_earlier",
        "patients",
        ["earlier"],
        unique=False,
        schema="clinic",
        postgresql_where=sa.text("earlier IS NOT NULL"),
    )
    op.create_index(
        "patients_joined",
        "patients",
        ["joined_into"],
        unique=False,
        schema="clinic",
        postgresql_where=sa.text("joined_into IS NOT NULL"),
    )
    op.drop_index("patients_external", table_name="patients", schema="clinic")
    op.create_index(
        "patients_external",
        "patients",
        ["clinic", "external_print"],
        unique=True,
        schema="clinic",
        postgresql_where=sa.text("state = 'enrolled'"),
    )


def downgrade() -> None:
    # Of records with one number the newest keeps it.
    op.execute(
        "UPDATE clinic.patients SET external_id = NULL, external_print = NULL WHERE id IN (SELECT id FROM"
        " (SELECT id, row_number() OVER (PARTITION BY clinic, external_print ORDER BY id DESC) AS place"
        " FROM clinic.patients WHERE external_print IS NOT NULL) AS numbered WHERE place > 1)"
    )
    op.drop_index(
        "patients_external", table_name="patients", schema="clinic", postgresql_where=sa.text("state = 'enrolled'")
    )
    op.create_index("patients_external", "patients", ["clinic", "external_print"], unique=True, schema="clinic")
    op.drop_index(
        "patients_joined", table_name="patients", schema="clinic", postgresql_where=sa.text("joined_into IS NOT NULL")
    )
    op.drop_index(
        "patients_earlier", table_name="patients", schema="clinic", postgresql_where=sa.text("earlier IS NOT NULL")
    )
    op.drop_column("patients", "joined_into", schema="clinic")
    op.drop_column("patients", "earlier", schema="clinic")
    op.drop_index("reasons_patient", table_name="reasons", schema="clinic")
    op.drop_table("reasons", schema="clinic")
