"""The mark of a yes that came to its end by its date is set once and stays; otherwise as in 0006."""

from django.db import migrations

TABLE = "consent_consent"
FIXED = [
    "id", "ref", "subject_id", "holder_id", "recipient_id", "purpose_id",
    "category_set_id", "terms_id", "channel", "signer", "authority", "signature",
    "answers", "signed_at", "recorded_at", "recorded_by_id", "starts", "ends",
    "record_until",
]
COLUMNS = [*FIXED, "paused_at", "paused_until", "expired_at", "ended_at", "ending"]
WIPED = {"signature": "'wiped'", "authority": "'wiped'", "recorded_by_id": "NULL"}
JSON = '{"signature": "wiped", "authority": "wiped", "recorded_by_id": null}'
HERS = (
    "EXISTS (SELECT 1 FROM consent_subject WHERE slot = OLD.subject_id AND shredded_at IS NOT NULL)"
)


def changed(differs):
    return " OR ".join(
        [
            *(f"NEW.{name} {differs} OLD.{name}" for name in FIXED),
            f"(OLD.expired_at IS NOT NULL AND NEW.expired_at {differs} OLD.expired_at)",
            "OLD.ended_at IS NOT NULL",
        ]
    )


def postgres_statements():
    yield f"DROP TRIGGER append_only_update ON {TABLE}"
    yield (
        f"CREATE TRIGGER append_only_update BEFORE UPDATE ON {TABLE} FOR EACH ROW"
        f" WHEN ({changed('IS DISTINCT FROM')}) EXECUTE FUNCTION consent_only_wiped('{JSON}')"
    )


def sqlite_statements():
    only = " AND ".join(f"NEW.{name} IS {WIPED.get(name, f'OLD.{name}')}" for name in COLUMNS)
    yield f"DROP TRIGGER append_only_{TABLE}_update"
    yield (
        f"CREATE TRIGGER append_only_{TABLE}_update BEFORE UPDATE ON {TABLE}"
        f" WHEN ({changed('IS NOT')}) AND NOT ({only} AND {HERS})"
        " BEGIN SELECT RAISE(ABORT, 'append_only: this is refused'); END"
    )


def protect(apps, schema_editor):
    postgres = schema_editor.connection.vendor == "postgresql"
    with schema_editor.connection.cursor() as cursor:
        for statement in postgres_statements() if postgres else sqlite_statements():
            cursor.execute(statement)


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0014_ended_by_their_date'),
    ]

    # No way back: what is kept stays kept.
    operations = [migrations.RunPython(protect)]
