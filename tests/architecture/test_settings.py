"""A missing or bad variable explains itself."""

import os
import subprocess
import sys

import pytest

from tests.architecture.source import BASE

GOOD = {
    "SAYSO_SECRET_KEY": "0123456789abcdef" * 4,
    "SAYSO_HOSTS": "sayso.example",
}


def settings_with(tmp_path, given, expression="'loaded'"):
    """Load the settings in a process of their own and print one expression."""
    kept = {key: value for key, value in os.environ.items() if key in {"PATH", "LANG", "HOME"}}
    folders = {"SAYSO_DATA": str(tmp_path / "data"), "SAYSO_KEYS": str(tmp_path / "keys")}
    base = {**kept, **folders, "DATABASE_URL": f"sqlite:///{tmp_path / 'x.sqlite3'}"}
    return subprocess.run(
        [sys.executable, "-c", f"from config import settings; print({expression})"],
        cwd=BASE,
        env={key: value for key, value in {**base, **given}.items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


BAD = [
    ("SAYSO_SECRET_KEY", None, "it is not set"),
    ("SAYSO_SECRET_KEY", "short", "it is too short"),
    ("SAYSO_SECRET_KEY", "0123456789abc" * 3, "it is too short"),
    ("SAYSO_SECRET_KEY", "a" * 60, "it can be guessed"),
    ("SAYSO_SECRET_KEY", "django-insecure-0123456789" * 3, "it can be guessed"),
    ("SAYSO_METRICS_TOKEN", "b" * 60, "can be guessed"),
    ("SAYSO_HOSTS", None, "it is not set"),
    ("SAYSO_DEMO", "maybe", "neither on nor off"),
    ("SAYSO_DEBUG", "1", "needs SAYSO_DEMO=1"),
    ("SAYSO_ENGINE_MEMORY_MB", "much", "not usable"),
    ("SAYSO_ENGINE_WORKERS", "0", "not usable"),
    ("SAYSO_ENGINE_SEATS", "-1", "not usable"),
    ("SAYSO_METRICS_TOKEN", "short", "it is too short"),
    ("SAYSO_DISK_LEAST_MB", "0", "not usable"),
    ("SAYSO_WITNESSES", "/nowhere/at/all", "cannot be read"),
    ("SAYSO_WITNESSES", "pyproject.toml", "Line 1 of the policy"),
    ("SAYSO_WITNESSES_GATE", "1", "demands no witness"),
    ("SAYSO_LOG_MLDSA", "maybe", "neither on nor off"),
    ("SAYSO_TIME_ZONE", "Middle-earth/Shire", "is no time zone"),
    ("SAYSO_TIME_ZONE", "../../etc/passwd", "is no time zone"),
    ("SAYSO_ICON", "skull", "no such picture"),
    ("SAYSO_SESSION_HOURS", "0", "not usable"),
    ("SAYSO_OIDC_URL", "http://login.example.org", "it is not an address"),
    ("SAYSO_OIDC_URL", "https://login.example.org/?x", "it is not an address"),
    ("SAYSO_OIDC_URL", "https://login.example.org", "a provider needs three more"),
    ("DATABASE_URL", "oracle://somewhere/x", "not supported"),
    ("DATABASE_URL", "postgres", "not"),
    ("DATABASE_URL", "sqlite://:memory:", "in-memory"),
]


@pytest.mark.parametrize(("name", "value", "words"), BAD, ids=lambda word: str(word))
def test_a_bad_variable_is_named_and_explained(tmp_path, name, value, words):
    ended = settings_with(tmp_path, {**GOOD, name: value})
    assert ended.returncode != 0
    said = ended.stderr.strip().splitlines()[-1]
    assert "ImproperlyConfigured" in said
    assert name in said
    assert words in said
    assert "See .env.example." in said


def test_the_key_folder_may_not_lie_inside_the_data_folder(tmp_path):
    ended = settings_with(tmp_path, {**GOOD, "SAYSO_KEYS": str(tmp_path / "data" / "keys")})
    assert ended.returncode != 0
    assert "SAYSO_KEYS: the key folder lies inside the data folder" in ended.stderr


def test_the_key_folder_may_not_reach_the_data_folder_by_a_detour(tmp_path):
    detour = tmp_path / "elsewhere" / ".." / "data" / "keys"
    ended = settings_with(tmp_path, {**GOOD, "SAYSO_KEYS": str(detour)})
    assert ended.returncode != 0
    assert "SAYSO_KEYS: the key folder lies inside the data folder" in ended.stderr


def test_the_file_of_noes_may_not_lie_where_backups_reach(tmp_path):
    ended = settings_with(tmp_path, {**GOOD, "SAYSO_NOES": str(tmp_path / "data" / "noes")})
    assert ended.returncode != 0
    assert "SAYSO_NOES: the file of noes lies inside the data folder" in ended.stderr
    ended = settings_with(tmp_path, GOOD, "settings.SAYSO_NOES")
    assert ended.stdout.strip() == str(tmp_path / "noes"), ended.stderr


def test_good_variables_are_enough(tmp_path):
    ended = settings_with(tmp_path, GOOD)
    assert ended.stdout.strip() == "loaded", ended.stderr


def test_outside_the_demonstration_cookies_travel_over_https_only(tmp_path):
    ended = settings_with(
        tmp_path,
        GOOD,
        "settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, settings.DEBUG",
    )
    assert ended.stdout.strip() == "True True False", ended.stderr


def test_the_demonstration_makes_its_own_secret_once(tmp_path):
    first = settings_with(tmp_path, {"SAYSO_DEMO": "1"}, "settings.SECRET_KEY")
    again = settings_with(tmp_path, {"SAYSO_DEMO": "1"}, "settings.SECRET_KEY")
    assert len(first.stdout.strip()) >= 50
    assert first.stdout == again.stdout


def test_every_variable_the_settings_read_stands_in_the_example():
    example = (BASE / ".env.example").read_text(encoding="utf-8")
    named = {
        line.split("=")[0] for line in example.splitlines() if "=" in line and line[0].isupper()
    }
    read = set()
    for file in ("settings.py", "gunicorn.py"):
        source = (BASE / "config" / file).read_text(encoding="utf-8")
        read |= {
            word.split('"')[1]
            for word in source.replace("(", "(\n").splitlines()
            if word.startswith('"SAYSO_')
        }
    filed = set(FILED)
    assert named == read | filed | {f"{name}_FILE" for name in filed}


FILED = {
    "SAYSO_SECRET_KEY": ("9876543210fedcba" * 4, "settings.SECRET_KEY"),
    "SAYSO_SECRET_KEY_FORMER": ("fedcba9876543210" * 4, "settings.SECRET_KEY_FALLBACKS[0]"),
    "SAYSO_METRICS_TOKEN": ("0123456789fedcba" * 3, "settings.METRICS_TOKEN"),
    "SAYSO_OIDC_SECRET": ("a secret of the two", "settings.OIDC_SECRET"),
    "REDIS_URL": ("redis://127.0.0.1:6379/9", "settings.REDIS_URL"),
    "DATABASE_URL": ("postgres://someone:word@db/own", "settings.DATABASES['default']['NAME']"),
}


@pytest.mark.parametrize("name", FILED)
def test_a_secret_may_stand_in_a_file(tmp_path, name):
    value, expression = FILED[name]
    (tmp_path / "secret").write_text(f"{value}\n")
    given = {**GOOD, name: None, f"{name}_FILE": str(tmp_path / "secret")}
    ended = settings_with(tmp_path, given, expression)
    assert ended.stdout.strip() == value.rpartition("/")[2] or ended.stdout.strip() == value


@pytest.mark.parametrize("name", FILED)
def test_a_secret_given_twice_or_in_no_readable_file_is_refused(tmp_path, name):
    value, _ = FILED[name]
    (tmp_path / "secret").write_text(value)
    twice = {**GOOD, name: value, f"{name}_FILE": str(tmp_path / "secret")}
    assert f"{name}: {name}_FILE is set as well." in settings_with(tmp_path, twice).stderr
    nowhere = {**GOOD, name: None, f"{name}_FILE": str(tmp_path / "nowhere")}
    assert f"{name}_FILE: this file cannot be read." in settings_with(tmp_path, nowhere).stderr


def test_the_provider_s_pages_stand_at_its_address_or_where_they_are_said_to(tmp_path):
    one = {
        **GOOD,
        "SAYSO_OIDC_URL": "https://login.example.org/realm/",
        "SAYSO_OIDC_CLIENT": "sayso",
        "SAYSO_OIDC_SECRET": "a secret of the two",
        "SAYSO_OIDC_NAME": "County sign-in",
    }
    told = "settings.OIDC_URL, *settings.OIDC_PLACES"
    ended = settings_with(tmp_path, one, told)
    assert ended.stdout.strip().endswith("realm https://login.example.org"), ended.stderr
    other = {**one, "SAYSO_OIDC_PLACES": "https://pages.example.org"}
    assert " https://pages.example.org" in settings_with(tmp_path, other, told).stdout
    wrong = {**one, "SAYSO_OIDC_PLACES": "pages.example.org"}
    assert "SAYSO_OIDC_PLACES: one is no place." in settings_with(tmp_path, wrong).stderr


SERVER = [
    ({"SAYSO_WEB_WORKERS": "many"}, "SAYSO_WEB_WORKERS: 'many' is not usable."),
    ({"SAYSO_WEB_THREADS": "0"}, "SAYSO_WEB_THREADS: '0' is not usable."),
    ({"SAYSO_WEB_WORKERS": "2"}, "more than one web process needs REDIS_URL"),
]


@pytest.mark.parametrize(("given", "words"), SERVER)
def test_a_bad_variable_of_the_web_server_is_named_and_explained(given, words):
    kept = {key: value for key, value in os.environ.items() if key in {"PATH", "LANG", "HOME"}}
    ended = subprocess.run(
        [sys.executable, "-c", "import config.gunicorn"],
        cwd=BASE,
        env={**kept, **given},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    assert words in ended.stderr
