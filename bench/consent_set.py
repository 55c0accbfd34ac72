"""The consent set of one ask, read in columns, against the server's own count of the same rows.

Goal: ≤ 2.5× the count (PostgreSQL). Runs where PostgreSQL answers on loopback; makes and drops a
database of its own. Equality: as many people as the server counts.
"""

import json
import os
import subprocess
import sys

import psycopg

from bench.measure import verdict

ADDRESS = os.environ.get("BENCH_POSTGRES", "postgres://postgres@127.0.0.1:5432")
DATABASE = "sayso_bench"
FILL = """
INSERT INTO consent_subject (slot, holder_id, wrapped_key, enrolled_at)
SELECT s, 1, '', now() FROM generate_series(0, %(people)s - 1) s;
INSERT INTO consent_consent (ref, subject_id, holder_id, recipient_id, purpose_id, category_set_id,
    terms_id, channel, signer, authority, signature, answers, signed_at, recorded_at,
    recorded_by_id, starts, ends, record_until, ended_at, ending)
SELECT 'con-' || s || '-' || p || '-' || r, s, 1, r, p, 1 + (s %% 7), 1, 'paper', 'self', '',
    'binder', 'yyyyyyy', now() - interval '30 days', now() - interval '30 days', 1,
    now() - interval '30 days',
    CASE WHEN hashint4(s * 31 + p) %% 10 < 2 THEN now() - interval '1 day'
         ELSE now() + interval '60 days' END,
    current_date, NULL, NULL
FROM generate_series(0, %(people)s - 1) s, generate_series(1, 5) p, generate_series(2, 2) r;
"""


def run(*, rows: int, repeat: int) -> bool:
    """Measure at `rows` consent rows (5 purposes for each person); True where the goal is met."""
    try:
        psycopg.connect(f"{ADDRESS}/postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        print(json.dumps({"section": "consent_set", "skipped": "no PostgreSQL on loopback"}))
        return True
    with psycopg.connect(f"{ADDRESS}/postgres", autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        admin.execute(f"CREATE DATABASE {DATABASE}")
    try:
        return _measured(rows, repeat)
    finally:
        with psycopg.connect(f"{ADDRESS}/postgres", autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


def _measured(rows: int, repeat: int) -> bool:
    environment = {**os.environ, "DATABASE_URL": f"{ADDRESS}/{DATABASE}", "SAYSO_DEMO": "1"}
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, env=environment, check=True)
    with psycopg.connect(f"{ADDRESS}/{DATABASE}", autocommit=True) as connection:
        connection.execute(
            "SET session_replication_role = replica"
        )  # no foreign keys while filling
        for statement in FILL.split(";")[:-1]:
            connection.execute(statement, {"people": rows // 5})
        connection.execute("VACUUM ANALYZE consent_consent")
    child = [sys.executable, "-m", "bench.consent_set_timed", str(repeat)]
    done = subprocess.run(child, env=environment, check=True, capture_output=True, text=True)
    print(done.stdout, end="")
    found = json.loads(done.stdout.splitlines()[-1])
    return verdict(f"consent_set {rows:,} rows", "times the server's count", found["ratio"], 2.5)
