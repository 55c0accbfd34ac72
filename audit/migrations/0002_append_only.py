"""What the log and the journal hold stays as it was written; the database says so too.

Stops the application and whoever uses its role. An owner of the database can lift a trigger: the
tree, the checkpoints and the copies outside are for that.
"""

from django.db import migrations

ENTRY = "audit_entry"
# Tables of which no row ever changes or goes, with the columns that make a row unique: SQLite's
# REPLACE removes a row without asking a DELETE trigger, so a second row like it is refused first.
FIXED = {
    "audit_node": ["id"],
    "audit_checkpoint": ["id", "size"],
    "audit_logentry": ["id"],
    "audit_journaldigest": ["row_id", "entry_id"],
}
ENTRY_COLUMNS = [
    "id", "version", "type", "time", "actor", "via", "purpose", "resource", "decision", "reason",
    "policy", "epoch_everyone", "epoch_scope", "subjects_root", "subjects_band", "detail_commit",
    "nonce", "leaf", "leaf_hash",
]

POSTGRES = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'append_only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE FUNCTION audit_entry_numbered_once() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    numbered audit_entry%ROWTYPE := OLD;
BEGIN
    numbered.seq := NEW.seq;
    IF OLD.seq IS NULL AND NEW.seq IS NOT NULL AND NEW IS NOT DISTINCT FROM numbered THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'append_only: an entry takes its number once and changes in nothing else'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE FUNCTION audit_journal_waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_journalwaiting (row_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER append_only_update BEFORE UPDATE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_entry_numbered_once();
CREATE TRIGGER append_only_pending BEFORE INSERT ON audit_entry
    FOR EACH ROW WHEN (NEW.seq IS NOT NULL) EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER append_only_delete BEFORE DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER journal_waits AFTER INSERT ON audit_logentry
    FOR EACH ROW EXECUTE FUNCTION audit_journal_waits();
"""

POSTGRES_FIXED = """
CREATE TRIGGER append_only_update BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
"""


def sqlite_statements():
    same = " AND ".join(f'NEW."{column}" IS OLD."{column}"' for column in ENTRY_COLUMNS)
    yield f"""
        CREATE TRIGGER append_only_entry_update BEFORE UPDATE ON audit_entry
        WHEN NOT (OLD.seq IS NULL AND NEW.seq IS NOT NULL AND {same})
            OR EXISTS (SELECT 1 FROM audit_entry WHERE seq = NEW.seq)
        BEGIN
            SELECT RAISE(ABORT,
                'append_only: an entry takes its number once and changes in nothing else');
        END"""
    yield """
        CREATE TRIGGER append_only_entry_insert BEFORE INSERT ON audit_entry
        WHEN NEW.seq IS NOT NULL OR EXISTS (SELECT 1 FROM audit_entry WHERE id = NEW.id)
        BEGIN
            SELECT RAISE(ABORT, 'append_only: an entry comes in without a number');
        END"""
    yield """
        CREATE TRIGGER journal_waits AFTER INSERT ON audit_logentry
        BEGIN
            INSERT INTO audit_journalwaiting (row_id) VALUES (NEW.id);
        END"""
    for table in [ENTRY, *FIXED]:
        yield refuse_on_sqlite(table, "delete", "")
    for table, columns in FIXED.items():
        yield refuse_on_sqlite(table, "update", "")
        likeness = " OR ".join(f'"{column}" = NEW."{column}"' for column in columns)
        if table == "audit_node":
            likeness += ' OR ("level" = NEW."level" AND "index" = NEW."index")'
        yield refuse_on_sqlite(
            table, "insert", f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {likeness})"
        )


def refuse_on_sqlite(table, deed, when):
    return f"""
        CREATE TRIGGER append_only_{table}_{deed} BEFORE {deed.upper()} ON {table} {when}
        BEGIN SELECT RAISE(ABORT, 'append_only: {deed} on {table} is refused'); END"""


def close(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRES, params=None)
        for table in FIXED:
            schema_editor.execute(POSTGRES_FIXED.format(table=table), params=None)
    else:
        for statement in sqlite_statements():
            schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    # No way back: a log that can be opened again is not a log.
    operations = [migrations.RunPython(close)]
