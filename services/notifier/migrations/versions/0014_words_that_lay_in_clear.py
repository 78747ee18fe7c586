"""words that lay in clear"""

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
PHASE = "before"  # only adds: what lies in clear is sealed while the service works

LEDGER = "the ledger: rows are added, never removed, nor changed but to seal words (a trigger refuses it)"
ONLY_SEALED = (
    "DROP TRIGGER consents_append_only ON notifier.consents",
    """
    CREATE TRIGGER consents_append_only BEFORE DELETE OR TRUNCATE ON notifier.consents
        FOR EACH STATEMENT EXECUTE FUNCTION notifier.refuse_change()
    """,
    """
    CREATE TRIGGER consents_only_sealed BEFORE UPDATE ON notifier.consents FOR EACH ROW
        WHEN (NOT (
            OLD.words IS NULL AND NEW.words IS NOT NULL AND NEW.how = 'clinic' AND OLD.granted
            AND (OLD.id, OLD.clinic, OLD.patient, OLD.contact, OLD.fingerprint, OLD.purpose, OLD.granted, OLD.at,
                 OLD.recorded_at)
            IS NOT DISTINCT FROM (NEW.id, NEW.clinic, NEW.patient, NEW.contact, NEW.fingerprint, NEW.purpose,
                 NEW.granted, NEW.at, NEW.recorded_at)))
        EXECUTE FUNCTION notifier.refuse_change()
    """,
)
NEVER_CHANGED = (
    "DROP TRIGGER consents_only_sealed ON notifier.consents",
    "DROP TRIGGER consents_append_only ON notifier.consents",
    """
    CREATE TRIGGER consents_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON notifier.consents
        FOR EACH STATEMENT EXECUTE FUNCTION notifier.refuse_change()
    """,
)


def upgrade() -> None:
    op.add_column(
        "consents",
        sa.Column("words", sa.Text(), nullable=True, comment="how it was given, as the clinic wrote it, sealed"),
        schema="notifier",
    )
    op.create_index(
        "consents_in_clear",
        "consents",
        ["id"],
        unique=False,
        schema="notifier",
        postgresql_where=sa.text("granted AND purpose IS NOT NULL AND words IS NULL"),
    )
    op.create_table_comment(
        "consents",
        LEDGER,
        existing_comment="the ledger: rows are added, never changed or removed (a trigger refuses it)",
        schema="notifier",
    )
    for statement in ONLY_SEALED:
        op.execute(statement)


def downgrade() -> None:
    for statement in NEVER_CHANGED:
        op.execute(statement)
    op.create_table_comment(
        "consents",
        "the ledger: rows are added, never changed or removed (a trigger refuses it)",
        existing_comment=LEDGER,
        schema="notifier",
    )
    op.drop_index(
        "consents_in_clear",
        table_name="consents",
        schema="notifier",
        postgresql_where=sa.text("granted AND purpose IS NOT NULL AND words IS NULL"),
    )
    op.drop_column("consents", "words", schema="notifier")
