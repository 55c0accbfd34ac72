"""Settings, keys, the data folder and the processes around."""

import os
import ssl
import stat
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import redis
from django.conf import settings
from django.core import checks

from audit.queries import footing
from governance.models import Dataset
from release.management.doctor.findings import Finding, bad, look, well
from release.queries import readiness

SHOWN = ("Django", "gunicorn", "psycopg", "duckdb", "pyarrow", "pyrage", "cryptography")
WEB_SECONDS = 5
EXAMPLE = "sayso.example/log"


def settings_findings() -> Iterator[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield well(
        "versions", f"Python {python}, " + ", ".join(f"{x} {version(x)}" for x in SHOWN) + "."
    )
    if settings.DEMO:
        yield bad("demonstration", "This is the demonstration.", "Unset SAYSO_DEMO.")
    else:
        yield well("demonstration", "This is no demonstration.")
    for found in checks.run_checks(include_deployment_checks=True):
        if not found.is_silenced() and found.level >= checks.WARNING:
            yield bad(f"django {found.id}", found.msg, found.hint or "See Django's page on checks.")
    if settings.LOG_ORIGIN == EXAMPLE:
        yield look(
            "log origin",
            "The log signs under the name of the example.",
            "Set SAYSO_LOG_ORIGIN before the first entry; it cannot change afterwards.",
        )
    yield from _tls()
    if not settings.METRICS_TOKEN:
        yield look("figures", "Nobody can fetch figures.", "Set SAYSO_METRICS_TOKEN to watch them.")


def _tls() -> Iterator[Finding]:
    if not settings.SECURE:
        yield bad("https", "Plain http is allowed.", "Unset SAYSO_DEMO.")
    elif not settings.ALLAUTH_TRUSTED_PROXY_COUNT:
        yield look(
            "https",
            "Https is demanded, but no proxy of yours is announced that could end it.",
            "Put a proxy in front that sets X-Forwarded-Proto and -For, and set SAYSO_PROXIES.",
        )
    else:
        yield well("https", "Https is demanded; your proxy's word counts.")


def key_findings() -> Iterator[Finding]:
    faults = footing.key_faults()
    for fault in faults:
        yield bad("keys", fault.says, "See docs/operating.md, keys.")
    folder: Path = settings.SAYSO_KEYS
    if folder.is_dir() and stat.S_IMODE(folder.stat().st_mode) & 0o077:
        yield bad("key folder", "Others may look into the key folder.", "chmod 700 on it.")
    if not faults:
        yield well("keys", "Key files are for the service alone and lie outside the data folder.")


def key_ring_findings() -> Iterator[Finding]:
    """Which keys are there. Raises DatabaseError where the database does not answer."""
    reading = {one.check: one for one in readiness.readings()}["keys"]
    if reading.good:
        yield well("log key", reading.says)
    else:
        yield bad(
            "log key", reading.says, "Put it back, or `manage.py makekeys` for a new installation."
        )
    used = Dataset.objects.filter(fields__isnull=False)
    refs = set(used.values_list("holder__ref", flat=True))
    absent = sum(
        not all((settings.SAYSO_KEYS / f"{ref}.{end}").is_file() for end in ("root", "age"))
        for ref in refs
    )
    if absent:
        yield look(
            "holders' keys",
            f"The keys of {absent} holders are not here; their releases wait.",
            "Put them back, or run `manage.py makekeys` for holders that came later.",
        )
    else:
        yield well("holders' keys", "The keys of every holder are here.")


def storage_findings() -> Iterator[Finding]:
    folder: Path = settings.SAYSO_DATA
    if folder.is_dir() and stat.S_IMODE(folder.stat().st_mode) & 0o007:
        yield look("data folder", "Everybody may look into the data folder.", "chmod 750 on it.")
    if not os.access(folder if folder.is_dir() else folder.parent, os.W_OK):
        yield bad("data folder", "This user may not write there.", "chown it to this user.")
    free = readiness.free_bytes() // readiness.MEGABYTE
    if free < settings.DISK_LEAST_MB:
        yield bad(
            "disk", f"Only {free} MB are free.", "Make room; SAYSO_DISK_LEAST_MB says how much."
        )
    else:
        yield well("disk", f"{free} MB are free where sealed parts lie.")


DO = {
    "storage": "Look at the owner, the mode and the disk of SAYSO_DATA.",
    "sequencer": "Start `manage.py sequencer` (systemctl status sayso-sequencer).",
    "clock": "Start `manage.py work` (systemctl status sayso-clock).",
}


def process_findings() -> Iterator[Finding]:
    """What /readyz would say of what goes on. Raises nothing."""
    for reading in readiness.readings():
        if reading.check in DO:
            yield (
                well(reading.check, reading.says)
                if reading.good
                else bad(reading.check, reading.says, DO[reading.check])
            )


def redis_findings() -> Iterator[Finding]:
    if not settings.REDIS_URL:
        yield look("redis", "There is none.", "Fine with one web process; set REDIS_URL for more.")
        return
    try:
        redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=WEB_SECONDS).ping()
    except redis.exceptions.RedisError:
        yield bad("redis", "It does not answer.", "Start it, or set REDIS_URL right.")
    else:
        yield well("redis", "It answers.")


def web_findings(address: str) -> Iterator[Finding]:
    """Ask the web server at this address (`http://…` or `https://…`) whether it lives."""
    request = urllib.request.Request(f"{address.rstrip('/')}/healthz")  # noqa: S310 - the operator's own word, checked by the command
    if address.startswith("http://"):  # past the proxy: say the name it answers to
        request.add_header("Host", settings.ALLOWED_HOSTS[0].lstrip(".*"))
    try:
        with urllib.request.urlopen(request, timeout=WEB_SECONDS) as answer:  # noqa: S310 - the same
            alive = answer.read(20) == b"alive\n"
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLError):
            yield bad("web", "Its certificate is not good.", "Renew it at your proxy.")
            return
        alive = False
    except OSError:
        alive = False
    if alive:
        yield well("web", "The web server answers.")
    else:
        yield bad("web", "The web server does not answer there.", "systemctl status sayso-web.")
