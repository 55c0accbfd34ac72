"""What every test shares: which need which database, and plain words for what could not run."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.test import override_settings
from django.utils import translation
from hypothesis import settings as hypothesis_settings

from tests.append_only import flush_may_empty_append_only_tables  # noqa: F401 - autouse
from tests.backups import backups_can_be_made  # noqa: F401 - for tests that name it
from tests.migrated import django_db_modify_db_settings  # noqa: F401 - pytest-django asks for it
from tests.noes import file_of_noes_belongs_to_the_database  # noqa: F401 - autouse

# About pages, addresses, files and who may do what, by everyday readings and writings that mean the same
# on either database: `make test` asks them once, on SQLite, and `make whole` on both.
ONCE = {
    "test_access_matrix.py",
    "test_age_command.py",
    "test_api_door.py",
    "test_api_everything.py",
    "test_api_issue_token.py",
    "test_api_oauth.py",
    "test_api_packages.py",
    "test_api_reading.py",
    "test_api_refusals.py",
    "test_api_requests.py",
    "test_api_uploads.py",
    "test_arrivals.py",
    "test_audit_desk.py",
    "test_beginning_anew.py",
    "test_canary.py",
    "test_canary_inputs.py",
    "test_cares.py",
    "test_client.py",
    "test_client_notice.py",
    "test_client_patience.py",
    "test_codes_at_the_desk.py",
    "test_coming_in_doors.py",
    "test_coming_in_restored.py",
    "test_consent_import_bad.py",
    "test_consent_import_command.py",
    "test_consent_speaking.py",
    "test_contest_pages.py",
    "test_coverage.py",
    "test_crowds.py",
    "test_demo_command.py",
    "test_desk_asks.py",
    "test_desk_door.py",
    "test_desk_line.py",
    "test_desk_pages.py",
    "test_desk_people.py",
    "test_desk_sign_in.py",
    "test_desk_speaking.py",
    "test_doors.py",
    "test_export_log.py",
    "test_gate_stolen.py",
    "test_governance_catalogue.py",
    "test_governance_people.py",
    "test_governance_reviews.py",
    "test_helping_pages.py",
    "test_hiding.py",
    "test_independent_check.py",
    "test_ingest_bad_input.py",
    "test_ingest_refusals.py",
    "test_ingest_spreadsheets.py",
    "test_journal_doors.py",
    "test_keeping.py",
    "test_kill_backups.py",
    "test_kill_keys.py",
    "test_law.py",
    "test_least_that_leaves.py",
    "test_leaving.py",
    "test_leaving_machines.py",
    "test_less.py",
    "test_loaded_anew.py",
    "test_log_tiles.py",
    "test_logs.py",
    "test_nasty_commands.py",
    "test_nasty_deeds.py",
    "test_nasty_doors.py",
    "test_nasty_forms.py",
    "test_objections.py",
    "test_openapi.py",
    "test_people_matrix.py",
    "test_portal_asks.py",
    "test_portal_copies.py",
    "test_portal_door.py",
    "test_portal_pages.py",
    "test_portal_sharing.py",
    "test_portal_speaking.py",
    "test_profile.py",
    "test_provider.py",
    "test_question_pages.py",
    "test_recalls_doors.py",
    "test_restored_papers.py",
    "test_restored_people.py",
    "test_restored_words.py",
    "test_rotation.py",
    "test_rotation_arrivals.py",
    "test_sealed_words.py",
    "test_second_thing.py",
    "test_second_thing_lost.py",
    "test_settings_doors.py",
    "test_shredding_restored.py",
    "test_shredding_traces.py",
    "test_sittings.py",
    "test_stale_forms.py",
    "test_uses.py",
    "test_watching.py",
    "test_wiping_pages.py",
    "test_words_committed.py",
}
DATABASE_FIXTURES = {"db", "transactional_db", "live_server", "client", "admin_client"}
CHROMIUM = shutil.which("chromium")

# What is made up is made up the same each time: what passes here passes there.
hypothesis_settings.register_profile("the same again", derandomize=True, deadline=None)
hypothesis_settings.load_profile("the same again")


def shared_data() -> Path:
    """Real input that stands beside the project on some machines and is never part of it."""
    return Path(settings.BASE_DIR).parent / "shared" / "data"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A file of which nothing is chosen is not even read."""
    chosen = str(config.getoption("-m"))
    return True if collection_path.name in ONCE and "not once" in chosen else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what touches the database, so that it can run again on the other vendor."""
    for item in items:
        touches = item.get_closest_marker("django_db") is not None
        if touches or DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("database")
        if item.path.name in ONCE:
            item.add_marker("once")


def pytest_runtest_setup(item: pytest.Item) -> None:
    translation.deactivate()  # a page asked in another language leaves it behind
    vendor = connection.vendor
    if item.get_closest_marker("postgresql_only") and vendor != "postgresql":
        pytest.skip("needs PostgreSQL; this run is on SQLite")
    if item.get_closest_marker("sqlite_only") and vendor != "sqlite":
        pytest.skip("needs SQLite; this run is on PostgreSQL")
    if item.get_closest_marker("browser") and CHROMIUM is None:
        pytest.skip("needs Chromium, which is not installed")


@pytest.fixture(autouse=True, scope="session")
def quick_passwords() -> Iterator[None]:
    """A world of twenty sign-ins would spend seconds on hashing; one test holds the real choice."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session")
def real_input() -> Path:
    """The folder of real input; the test is skipped, saying so, where it is absent."""
    folder = shared_data()
    if not folder.is_dir():
        pytest.skip("needs the real input files (../shared/data), which are not here")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is; the test is skipped, saying so, where it is absent."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium, which is not installed")
    return CHROMIUM


@pytest.fixture(scope="session")
def redis_address() -> str:
    """A Redis on this machine; the test is skipped, saying so, where none answers."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    # Of each worker's own: what one counts or empties is not another's.
    address = f"redis://127.0.0.1:6379/{9 + int(worker) % 6}"
    try:
        redis.Redis.from_url(address, socket_connect_timeout=2).ping()
    except redis.exceptions.RedisError:
        pytest.skip("needs Redis on this machine, which does not answer")
    return address


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in plain words what was not run and why."""
    reasons: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        words = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[words.removeprefix("Skipped: ")] += 1
    if reasons:
        terminalreporter.section("not run on this pass", sep="-")
        for reason, count in sorted(reasons.items()):
            terminalreporter.write_line(f"{count} tests: {reason}")
