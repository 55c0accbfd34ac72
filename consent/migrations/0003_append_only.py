"""What a person said stays as it was said; the database says so too.

A consent changes only in how it ends or pauses, an ended one not at all; an objection is lifted
once. On PostgreSQL a consent that comes to say less needs its scope's epoch moved in the same
transaction: a no that no release could see is refused.
"""

from django.db import migrations

# Tables of which no row ever changes or goes, with what makes a row unique: SQLite's REPLACE
# removes a row without asking a DELETE trigger, so a second row like it is refused first.
FIXED = {
    "consent_categoryset": ["id = NEW.id", "digest = NEW.digest"],
    "consent_categorysetitem": [
        "id = NEW.id", "(set_id = NEW.set_id AND version_id = NEW.version_id)",
    ],
    "consent_consentevent": ["id = NEW.id"],
    "consent_subjectkey": [
        "id = NEW.id", "(holder_id = NEW.holder_id AND digest = NEW.digest)",
    ],
}
LIKE = {
    **FIXED,
    "consent_consent": [
        "id = NEW.id",
        "ref = NEW.ref",
        "(ended_at IS NULL AND NEW.ended_at IS NULL AND subject_id = NEW.subject_id"
        " AND holder_id = NEW.holder_id AND recipient_id = NEW.recipient_id"
        " AND purpose_id = NEW.purpose_id)",
    ],
    "consent_objection": ["id = NEW.id", "ref = NEW.ref"],
    "consent_terms": [
        "id = NEW.id",
        "(code = NEW.code AND version = NEW.version AND language = NEW.language)",
    ],
    "consent_subject": ["slot = NEW.slot"],
}
# table: the columns that never change, and when no column does.
KEPT = {
    "consent_consent": (
        [
            "id", "ref", "subject_id", "holder_id", "recipient_id", "purpose_id",
            "category_set_id", "terms_id", "channel", "signer", "authority", "signature",
            "answers", "signed_at", "recorded_at", "recorded_by_id", "starts", "ends",
            "record_until",
        ],
        "OLD.ended_at IS NOT NULL",
    ),
    "consent_objection": (
        [
            "id", "ref", "subject_id", "recipient_id", "recipient_kind", "purpose_id",
            "category_id", "made_at", "made_by_id",
        ],
        "OLD.lifted_at IS NOT NULL",
    ),
    "consent_terms": (
        ["id", "code", "version", "language", "title", "text", "digest", "published_at"],
        "OLD.retired_at IS NOT NULL",
    ),
    "consent_subject": (["slot", "holder_id", "enrolled_at"], "1 = 0"),
}

POSTGRES = """
CREATE FUNCTION consent_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'append_only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE FUNCTION consent_no_moves_an_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM governance_scope
        WHERE (everyone OR recipient_id = NEW.recipient_id)
          AND moved_in = pg_current_xact_id()::text::bigint
    ) THEN
        RAISE EXCEPTION 'a consent came to say less and no epoch moved with it'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER no_moves_an_epoch AFTER UPDATE ON consent_consent FOR EACH ROW
    WHEN (
        NEW.ended_at IS DISTINCT FROM OLD.ended_at
        OR (NEW.paused_at IS NOT NULL AND (
            NEW.paused_at IS DISTINCT FROM OLD.paused_at
            OR NEW.paused_until IS DISTINCT FROM OLD.paused_until))
    )
    EXECUTE FUNCTION consent_no_moves_an_epoch();
"""


def postgres_statements():
    yield POSTGRES
    for table in [*FIXED, *KEPT]:
        yield (
            f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION consent_refuse()"
        )
        yield (
            f"CREATE TRIGGER append_only_delete BEFORE DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION consent_refuse()"
        )
    for table in FIXED:
        yield (
            f"CREATE TRIGGER append_only_update BEFORE UPDATE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION consent_refuse()"
        )
    for table, (columns, closed) in KEPT.items():
        changed = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in columns)
        yield (
            f"CREATE TRIGGER append_only_update BEFORE UPDATE ON {table} FOR EACH ROW"
            f" WHEN ({changed} OR {closed}) EXECUTE FUNCTION consent_refuse()"
        )


def sqlite_statements():
    refuse = "BEGIN SELECT RAISE(ABORT, 'append_only: this is refused'); END"
    for table in [*FIXED, *KEPT]:
        yield f"CREATE TRIGGER append_only_{table}_delete BEFORE DELETE ON {table} {refuse}"
    for table in FIXED:
        yield f"CREATE TRIGGER append_only_{table}_update BEFORE UPDATE ON {table} {refuse}"
    for table, like in LIKE.items():
        yield (
            f"CREATE TRIGGER append_only_{table}_insert BEFORE INSERT ON {table}"
            f" WHEN EXISTS (SELECT 1 FROM {table} WHERE {' OR '.join(like)})"
            f" BEGIN SELECT RAISE(ABORT, 'append_only: INSERT on {table} is refused'); END"
        )
    for table, (columns, closed) in KEPT.items():
        changed = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in columns)
        yield (
            f"CREATE TRIGGER append_only_{table}_update BEFORE UPDATE ON {table}"
            f" WHEN {changed} OR {closed} {refuse}"
        )


def protect(apps, schema_editor):
    statements = (
        postgres_statements()
        if schema_editor.connection.vendor == "postgresql"
        else sqlite_statements()
    )
    with schema_editor.connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def unprotect(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "postgresql":
            cursor.execute("DROP FUNCTION consent_refuse() CASCADE")
            cursor.execute("DROP FUNCTION consent_no_moves_an_epoch() CASCADE")
            return
        for table in [*FIXED, *KEPT]:
            cursor.execute(f"DROP TRIGGER append_only_{table}_delete")
            cursor.execute(f"DROP TRIGGER append_only_{table}_update")
            cursor.execute(f"DROP TRIGGER append_only_{table}_insert")


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0001_people_and_words"),
        ("governance", "0002_append_only"),
    ]

    operations = [migrations.RunPython(protect, unprotect)]
