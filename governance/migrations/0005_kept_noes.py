"""Every no as the file of noes must hold it: what was said stays, only where it is filed is added."""

from django.db import migrations, models

TABLE = "governance_keptno"
KEPT = ["id", "mark", "act", "said_at", "facts"]


def protect(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "postgresql":
            changed = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in KEPT)
            cursor.execute(
                f"CREATE TRIGGER append_only_update BEFORE UPDATE ON {TABLE} FOR EACH ROW"
                f" WHEN ({changed}) EXECUTE FUNCTION governance_refuse()"
            )
            cursor.execute(
                f"CREATE TRIGGER append_only_delete BEFORE DELETE ON {TABLE}"
                " FOR EACH ROW EXECUTE FUNCTION governance_refuse()"
            )
            cursor.execute(
                f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {TABLE}"
                " FOR EACH STATEMENT EXECUTE FUNCTION governance_refuse()"
            )
            return
        changed = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in KEPT)
        for deed, when in {
            "UPDATE": f" WHEN {changed}",
            "DELETE": "",
            "INSERT": (
                f" WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE id = NEW.id OR mark = NEW.mark)"
            ),
        }.items():
            cursor.execute(
                f"CREATE TRIGGER append_only_{TABLE}_{deed.lower()} BEFORE {deed} ON {TABLE}"
                f"{when} BEGIN SELECT RAISE(ABORT, 'append_only: {deed} on {TABLE} is refused'); END"
            )


def unprotect(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        for deed in ("update", "delete", "insert"):
            if schema_editor.connection.vendor != "postgresql":
                cursor.execute(f"DROP TRIGGER append_only_{TABLE}_{deed}")
            elif deed != "insert":
                cursor.execute(f"DROP TRIGGER append_only_{deed} ON {TABLE}")
        if schema_editor.connection.vendor == "postgresql":
            cursor.execute(f"DROP TRIGGER append_only_truncate ON {TABLE}")


class Migration(migrations.Migration):
    dependencies = [("governance", "0004_arrivals_and_departures")]

    operations = [
        migrations.CreateModel(
            name='KeptNo',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mark', models.BinaryField(max_length=16, unique=True)),
                ('act', models.CharField(choices=[('consent_withdrawn', 'sharing stopped'), ('consent_paused', 'sharing paused'), ('consent_narrowed', 'sharing narrowed'), ('consent_superseded', 'sharing replaced'), ('objection_made', 'objection made'), ('agreement_suspended', 'agreement suspended'), ('agreement_ended', 'agreement ended'), ('request_ended', 'request ended'), ('dataset_paused', 'dataset paused'), ('dataset_retired', 'dataset retired'), ('purpose_paused', 'purpose paused'), ('purpose_retired', 'purpose retired'), ('field_reclassified', 'field moved to another category'), ('membership_ended', 'membership ended'), ('key_ended', "recipient's key ended"), ('account_ended', 'account ended'), ('account_shut', 'account shut until it begins anew'), ('invitation_withdrawn', 'invitation taken back'), ('seat_ended', 'seat ended'), ('token_revoked', 'token revoked')], max_length=32)),
                ('said_at', models.DateTimeField()),
                ('facts', models.BinaryField()),
                ('filed_in', models.CharField(blank=True, default='', max_length=32)),
            ],
            options={
                'verbose_name_plural': 'kept noes',
                'indexes': [models.Index(fields=['filed_in', 'id'], name='kept_no_filed_in')],
                'constraints': [models.CheckConstraint(condition=models.Q(('act__in', ['consent_withdrawn', 'consent_paused', 'consent_narrowed', 'consent_superseded', 'objection_made', 'agreement_suspended', 'agreement_ended', 'request_ended', 'dataset_paused', 'dataset_retired', 'purpose_paused', 'purpose_retired', 'field_reclassified', 'membership_ended', 'key_ended', 'account_ended', 'account_shut', 'invitation_withdrawn', 'seat_ended', 'token_revoked'])), name='kept_no_act_known')],
            },
        ),
        migrations.RunPython(protect, unprotect),
    ]
