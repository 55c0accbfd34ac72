"""What was voted, decided, signed, published or said no to stays; the database says so too.

Also: a user's kind is fixed for ever, a survivor has no membership, what a board was asked does not
change while it thinks, an epoch never goes back. On PostgreSQL a scope also notes the transaction
that moved its epoch, so that others can check that a no and its move were one transaction.
"""

from django.db import migrations

# Tables of which no row ever changes or goes, with what makes a row unique: SQLite's REPLACE
# removes a row without asking a DELETE trigger, so a second row like it is refused first.
FIXED = {
    "governance_agreementsignature": [["agreement_id", "organisation_id"]],
    "governance_ballot": [["request_id", "seat_id"]],
    "governance_categoryfield": [["version_id", "name"]],
    "governance_categoryversion": [["category_id", "number"]],
    "governance_charter": [["board_id", "number"]],
    "governance_decision": [["request_id"]],
    "governance_fieldclassification": [],
    "governance_recusal": [["request_id", "seat_id"]],
    "governance_scopemove": [["scope_id", "epoch", "slot"]],
}
# Tables whose rows belong to a parent's text: the parent, its column, and when it is closed.
SIGNED = "EXISTS (SELECT 1 FROM governance_agreementsignature WHERE agreement_id = {key})"
HANDED_IN = "EXISTS (SELECT 1 FROM governance_accessrequest WHERE id = {key} AND state <> 'draft')"
PARTS = {
    "governance_agreementdataset": ("governance_agreement", "agreement_id", SIGNED),
    "governance_agreementpurpose": ("governance_agreement", "agreement_id", SIGNED),
    "governance_agreementcategory": ("governance_agreement", "agreement_id", SIGNED),
    "governance_requestfield": ("governance_accessrequest", "request_id", HANDED_IN),
}
AGREEMENT_TEXT = [
    "id", "ref", "holder_id", "recipient_id", "title", "obligations", "starts", "ends",
    "created_at",
]
REQUEST_TEXT = [
    "id", "ref", "requester_id", "dataset_id", "purpose_id", "agreement_id", "reason", "benefit",
    "format", "starts", "ends", "created_by_id", "created_at", "submitted_at", "answer_by",
]
# Rows that change in some columns only: what else may not happen to them, and when.
KEPT = {
    "governance_user": (["id", "kind"], "1 = 1"),
    "governance_agreement": (AGREEMENT_TEXT, SIGNED.format(key="OLD.id")),
    "governance_accessrequest": (REQUEST_TEXT, "OLD.state <> 'draft'"),
}
BACKWARDS = {
    "governance_scope": "NEW.epoch < OLD.epoch",
    "governance_accessrequest": "OLD.state <> 'draft' AND NEW.state = 'draft'",
}

POSTGRES = """
CREATE FUNCTION governance_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'append_only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE FUNCTION governance_no_survivor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM governance_user WHERE id = NEW.user_id AND kind = 'survivor') THEN
        RAISE EXCEPTION 'a survivor has no membership'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER membership_no_survivor BEFORE INSERT OR UPDATE ON governance_membership
    FOR EACH ROW EXECUTE FUNCTION governance_no_survivor();
CREATE FUNCTION governance_scope_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.moved_in := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;
CREATE TRIGGER scope_moved_in BEFORE UPDATE ON governance_scope
    FOR EACH ROW WHEN (NEW.epoch IS DISTINCT FROM OLD.epoch)
    EXECUTE FUNCTION governance_scope_moved();
"""
POSTGRES_FIXED = """
CREATE TRIGGER append_only_update BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION governance_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION governance_refuse();
"""
# The parent's row is locked before it is looked at: a signature waits for this, or this for it.
POSTGRES_PART = """
CREATE FUNCTION {table}_closed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    keys bigint[] := ARRAY[]::bigint[];
    one bigint;
BEGIN
    IF TG_OP <> 'DELETE' THEN keys := keys || NEW.{column}; END IF;
    IF TG_OP <> 'INSERT' THEN keys := keys || OLD.{column}; END IF;
    FOREACH one IN ARRAY keys LOOP
        PERFORM 1 FROM {parent} WHERE id = one FOR KEY SHARE;
        IF {closed} THEN
            RAISE EXCEPTION 'append_only: % on % is refused', TG_OP, TG_TABLE_NAME
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END LOOP;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER append_only_part BEFORE INSERT OR UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION {table}_closed();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION governance_refuse();
"""
# A trigger's WHEN holds no subquery on PostgreSQL, so the condition stands in a function.
POSTGRES_KEPT = """
CREATE FUNCTION {table}_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF ({changed}) AND ({closed}) THEN
        RAISE EXCEPTION 'append_only: % on % is refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER append_only_kept BEFORE UPDATE ON {table}
    FOR EACH ROW EXECUTE FUNCTION {table}_kept();
"""
POSTGRES_BACKWARDS = """
CREATE TRIGGER append_only_backwards BEFORE UPDATE ON {table}
    FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION governance_refuse();
"""


def postgres_statements():
    yield POSTGRES
    for table in FIXED:
        yield POSTGRES_FIXED.format(table=table)
    for table, (parent, column, closed) in PARTS.items():
        yield POSTGRES_PART.format(
            table=table, parent=parent, column=column, closed=closed.format(key="one")
        )
    for table, (columns, closed) in KEPT.items():
        changed = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in columns)
        yield POSTGRES_KEPT.format(table=table, changed=changed, closed=closed)
    for table, when in BACKWARDS.items():
        yield POSTGRES_BACKWARDS.format(table=table, when=when)


def sqlite_statements():
    yield from sqlite_fixed()
    yield from sqlite_parts()
    for table, (columns, closed) in KEPT.items():
        changed = " OR ".join(f'NEW."{name}" IS NOT OLD."{name}"' for name in columns)
        yield refuse(table, "kept", "UPDATE", f"({changed}) AND ({closed})")
        like = "id = NEW.id OR ref = NEW.ref"
        yield refuse(table, "insert", "INSERT", f"EXISTS (SELECT 1 FROM {table} WHERE {like})")
    for table, when in BACKWARDS.items():
        yield refuse(table, "backwards", "UPDATE", when)
    for deed in ("INSERT", "UPDATE"):
        yield f"""
            CREATE TRIGGER membership_no_survivor_{deed.lower()}
            BEFORE {deed} ON governance_membership
            WHEN EXISTS (SELECT 1 FROM governance_user
                         WHERE id = NEW.user_id AND kind = 'survivor')
            BEGIN SELECT RAISE(ABORT, 'a survivor has no membership'); END"""


def sqlite_fixed():
    for table, unique in FIXED.items():
        yield refuse(table, "update", "UPDATE", "1 = 1")
        yield refuse(table, "delete", "DELETE", "1 = 1")
        like = " OR ".join(
            "(" + " AND ".join(f'"{name}" IS NEW."{name}"' for name in columns) + ")"
            for columns in [["id"], *unique]
        )
        yield refuse(table, "insert", "INSERT", f"EXISTS (SELECT 1 FROM {table} WHERE {like})")


def sqlite_parts():
    for table, (_, column, closed) in PARTS.items():
        new, old = (closed.format(key=f"{row}.{column}") for row in ("NEW", "OLD"))
        yield refuse(table, "insert", "INSERT", new)
        yield refuse(table, "update", "UPDATE", f"{new} OR {old}")
        yield refuse(table, "delete", "DELETE", old)
        yield refuse(
            table, "again", "INSERT", f"EXISTS (SELECT 1 FROM {table} WHERE id IS NEW.id)"
        )


def refuse(table, name, deed, when):
    return f"""
        CREATE TRIGGER append_only_{table}_{name} BEFORE {deed} ON {table} WHEN {when}
        BEGIN SELECT RAISE(ABORT, 'append_only: {deed} on {table} is refused'); END"""


def close(apps, schema_editor):
    postgres = schema_editor.connection.vendor == "postgresql"
    for statement in postgres_statements() if postgres else sqlite_statements():
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("governance", "0001_initial")]

    # No way back: what can be opened again was never closed.
    operations = [migrations.RunPython(close)]
