"""What may go when a person's key is destroyed, and nothing else, and only then.

Everything that stays as it was said still does. Of a person whose row says that she is shredded, and
of nobody else: her client numbers go; the words that led to her become `wiped` and whoever wrote
them down nobody, in exactly these columns; what the file of noes holds of her noes may be written
anew. A shredded row itself never changes again. A shredding and a hold say more, never less.
"""

from django.db import migrations

# table: the columns that are wiped, with what stands there afterwards (SQL of either database)
WIPED = {
    "consent_consent": {"signature": "wiped", "authority": "wiped", "recorded_by_id": None},
    "consent_consentevent": {"by_id": None},
    "consent_objection": {"made_by_id": None},
}
WHOSE = {
    "consent_consent": "OLD.subject_id",
    "consent_consentevent": "(SELECT subject_id FROM consent_consent WHERE id = OLD.consent_id)",
    "consent_objection": "OLD.subject_id",
    "consent_subjectkey": "OLD.subject_id",
}
# The triggers of 0003 that now make way: the columns that never change, and when none does.
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
    "consent_consentevent": ([], "1 = 1"),
    "consent_objection": (
        [
            "id", "ref", "subject_id", "recipient_id", "recipient_kind", "purpose_id",
            "category_id", "made_at", "made_by_id",
        ],
        "OLD.lifted_at IS NOT NULL",
    ),
}
SUBJECT = (["slot", "holder_id", "enrolled_at"], "OLD.shredded_at IS NOT NULL")
COLUMNS = {
    "consent_consent": [
        *KEPT["consent_consent"][0], "paused_at", "paused_until", "ended_at", "ending",
    ],
    "consent_consentevent": ["id", "consent_id", "happening", "at", "by_id", "entry_id"],
    "consent_objection": [*KEPT["consent_objection"][0], "lifted_at"],
}
KEPT_NO = ["id", "mark", "act", "said_at"]
# New tables: what is filled stays, and what never changes.
STEPS = {
    "consent_shredding": (
        ["id", "ref", "subject_id", "asked_by_id", "asked_at", "entry_id"],
        ["agreed_by_id", "agreed_at", "called_off_at", "called_off_by_id", "shredded_at",
         "cleaned_at"],
    ),
    "consent_legalhold": (
        ["id", "ref", "subject_id", "ground", "entry_id", "placed_by_id", "placed_at", "ends"],
        ["lifted_by_id", "lifted_at"],
    ),
}
SHREDDED = "EXISTS (SELECT 1 FROM consent_subject WHERE slot = {whose} AND shredded_at IS NOT NULL)"
# The people a no is about stand beside it in the moves of its epochs, at the same instant.
HER_NO = (
    "EXISTS (SELECT 1 FROM governance_scopemove m JOIN consent_subject s ON s.slot = m.slot"
    " WHERE m.moved_at = OLD.said_at AND s.shredded_at IS NOT NULL)"
)

POSTGRES = """
CREATE FUNCTION consent_only_wiped() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    whose bigint;
BEGIN
    IF TG_TABLE_NAME = 'consent_consentevent' THEN
        SELECT subject_id INTO whose FROM consent_consent
            WHERE id = (to_jsonb(OLD) ->> 'consent_id')::bigint;
    ELSE
        whose := (to_jsonb(OLD) ->> 'subject_id')::bigint;
    END IF;
    IF EXISTS (SELECT 1 FROM consent_subject WHERE slot = whose AND shredded_at IS NOT NULL) THEN
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        END IF;
        IF to_jsonb(NEW) = to_jsonb(OLD) || TG_ARGV[0]::jsonb THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'append_only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE FUNCTION consent_only_her_no() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id = OLD.id AND NEW.mark = OLD.mark AND NEW.act = OLD.act
        AND NEW.said_at = OLD.said_at AND NEW.filed_in = OLD.filed_in AND EXISTS (
            SELECT 1 FROM governance_scopemove m JOIN consent_subject s ON s.slot = m.slot
            WHERE m.moved_at = OLD.said_at AND s.shredded_at IS NOT NULL
        ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'append_only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""


def literal(value):
    return "NULL" if value is None else f"'{value}'"


def json_of(values):
    pairs = (f'"{name}": ' + ("null" if value is None else f'"{value}"') for name, value in values.items())
    return "{" + ", ".join(pairs) + "}"


def postgres_statements():
    yield POSTGRES
    for table, (columns, closed) in KEPT.items():
        changed = " OR ".join(
            [*(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in columns), closed]
        )
        yield f"DROP TRIGGER append_only_update ON {table}"
        yield (
            f"CREATE TRIGGER append_only_update BEFORE UPDATE ON {table} FOR EACH ROW"
            f" WHEN ({changed}) EXECUTE FUNCTION consent_only_wiped('{json_of(WIPED[table])}')"
        )
    yield "DROP TRIGGER append_only_delete ON consent_subjectkey"
    yield (
        "CREATE TRIGGER append_only_delete BEFORE DELETE ON consent_subjectkey"
        " FOR EACH ROW EXECUTE FUNCTION consent_only_wiped()"
    )
    columns, closed = SUBJECT
    changed = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in columns)
    yield "DROP TRIGGER append_only_update ON consent_subject"
    yield (
        "CREATE TRIGGER append_only_update BEFORE UPDATE ON consent_subject FOR EACH ROW"
        f" WHEN ({changed} OR {closed}) EXECUTE FUNCTION consent_refuse()"
    )
    changed = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in [*KEPT_NO, "facts"])
    yield "DROP TRIGGER append_only_update ON governance_keptno"
    yield (
        "CREATE TRIGGER append_only_update BEFORE UPDATE ON governance_keptno FOR EACH ROW"
        f" WHEN ({changed}) EXECUTE FUNCTION consent_only_her_no()"
    )
    for table, (fixed, filled) in STEPS.items():
        changed = " OR ".join(
            [
                *(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in fixed),
                *(
                    f"(OLD.{name} IS NOT NULL AND NEW.{name} IS DISTINCT FROM OLD.{name})"
                    for name in filled
                ),
            ]
        )
        yield (
            f"CREATE TRIGGER append_only_update BEFORE UPDATE ON {table} FOR EACH ROW"
            f" WHEN ({changed}) EXECUTE FUNCTION consent_refuse()"
        )
        yield (
            f"CREATE TRIGGER append_only_delete BEFORE DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION consent_refuse()"
        )
        yield (
            f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION consent_refuse()"
        )


def sqlite_statements():
    refuse = "BEGIN SELECT RAISE(ABORT, 'append_only: this is refused'); END"
    for table, (columns, closed) in KEPT.items():
        changed = " OR ".join([*(f"NEW.{name} IS NOT OLD.{name}" for name in columns), closed])
        wiped = WIPED[table]
        only = " AND ".join(
            f"NEW.{name} IS " + (literal(wiped[name]) if name in wiped else f"OLD.{name}")
            for name in COLUMNS[table]
        )
        hers = SHREDDED.format(whose=WHOSE[table])
        yield f"DROP TRIGGER append_only_{table}_update"
        yield (
            f"CREATE TRIGGER append_only_{table}_update BEFORE UPDATE ON {table}"
            f" WHEN ({changed}) AND NOT ({only} AND {hers}) {refuse}"
        )
    hers = SHREDDED.format(whose=WHOSE["consent_subjectkey"])
    yield "DROP TRIGGER append_only_consent_subjectkey_delete"
    yield (
        "CREATE TRIGGER append_only_consent_subjectkey_delete BEFORE DELETE ON consent_subjectkey"
        f" WHEN NOT {hers} {refuse}"
    )
    columns, closed = SUBJECT
    changed = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in columns)
    yield "DROP TRIGGER append_only_consent_subject_update"
    yield (
        "CREATE TRIGGER append_only_consent_subject_update BEFORE UPDATE ON consent_subject"
        f" WHEN {changed} OR {closed} {refuse}"
    )
    changed = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in KEPT_NO)
    yield "DROP TRIGGER append_only_governance_keptno_update"
    yield (
        "CREATE TRIGGER append_only_governance_keptno_update BEFORE UPDATE ON governance_keptno"
        f" WHEN {changed} OR (NEW.facts IS NOT OLD.facts AND NOT"
        f" (NEW.filed_in IS OLD.filed_in AND {HER_NO})) {refuse}"
    )
    for table, (fixed, filled) in STEPS.items():
        changed = " OR ".join(
            [
                *(f"NEW.{name} IS NOT OLD.{name}" for name in fixed),
                *(f"(OLD.{name} IS NOT NULL AND NEW.{name} IS NOT OLD.{name})" for name in filled),
            ]
        )
        yield (
            f"CREATE TRIGGER append_only_{table}_update BEFORE UPDATE ON {table}"
            f" WHEN {changed} {refuse}"
        )
        yield f"CREATE TRIGGER append_only_{table}_delete BEFORE DELETE ON {table} {refuse}"
        yield (
            f"CREATE TRIGGER append_only_{table}_insert BEFORE INSERT ON {table}"
            f" WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id OR ref = NEW.ref)"
            f" BEGIN SELECT RAISE(ABORT, 'append_only: INSERT on {table} is refused'); END"
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


class Migration(migrations.Migration):
    dependencies = [("consent", "0005_shredding"), ("governance", "0009_words_of_shredding")]

    # No way back: what is kept stays kept.
    operations = [migrations.RunPython(protect)]
