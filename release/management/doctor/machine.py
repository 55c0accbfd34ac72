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
from django.db import DatabaseError, InterfaceError

from audit import queries as log
from audit.queries import footing
from common.errors import NotReady
from governance.queries import clock, noes
from governance.rules.policies import BOARD_PUBLISHED, BOARD_RULES
from release import broker
from release.management.doctor.findings import Finding, bad, look, well
from release.queries import readiness
from release.rules import timing
from release.rules.policy import GATE_PUBLISHED, GATE_RULES

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


def rules_findings() -> Iterator[Finding]:
    """Whether what decides here is what this version gave out: entries name it (ADR 21)."""
    if (GATE_PUBLISHED[-1], BOARD_PUBLISHED[-1]) == (GATE_RULES, BOARD_RULES):
        yield well("rules", "The rules that decide are those of this version.")
    else:
        yield bad(
            "rules",
            "The rules that decide are not those that this version gave out.",
            "Find out who changed them, install the version anew, and run `manage.py reconcile`.",
        )


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
    """Which keys are there, asked of their sources. Raises DatabaseError where the database does
    not answer."""
    reading = {one.check: one for one in readiness.readings()}["keys"]
    if reading.good:
        yield well("log key", reading.says)
    else:
        yield bad(
            "log key", reading.says, "Put it back, or `manage.py makekeys` for a new installation."
        )
    absent = readiness.without_keys()
    if absent:
        codes = ", ".join(sorted({each.code for each in absent}))
        yield look(
            "holders' keys",
            f"The keys of {len(absent)} holders do not open ({codes}); their releases wait.",
            "Put them back, start their key agents, or run `manage.py makekeys` for holders that "
            "came later. See docs/hosting.md.",
        )
    else:
        yield well("holders' keys", "The keys of every holder are here.")


def noes_findings() -> Iterator[Finding]:
    """The file of noes, and whether a backup can be made."""
    against = noes.against()
    if against is None:
        yield well("noes", "Every no is known here and in the file of noes.")
    else:
        yield bad("noes", against.message, f"{against.code}: see docs/backup.md, the bad day.")
    folder: Path = settings.SAYSO_NOES
    if folder.is_dir() and stat.S_IMODE(folder.stat().st_mode) & 0o077:
        yield bad("noes folder", "Others may look into the folder of noes.", "chmod 700 on it.")
    place = folder if folder.is_dir() else folder.parent
    if not os.access(place, os.W_OK):
        yield bad("noes folder", "This user may not write there.", "chown it to this user.")
    elif place.stat().st_dev == readiness.data_place().stat().st_dev:
        yield look(
            "noes folder",
            "It is on the disk of the data folder.",
            "Put SAYSO_NOES on a disk of its own, so that one loss does not take both.",
        )
    try:
        log.key_ring().backup_recipients()
    except NotReady as reason:
        yield look("backup", reason.message, "See docs/backup.md.")
    else:
        yield well("backup", "Somebody is named who can open a backup.")


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
        yield from _workers()


def _workers() -> Iterator[Finding]:
    """The clock through Redis, where there is one: what waits, and when it last went round."""
    lying = broker.lengths()
    try:
        last = readiness.last_beat(readiness.WORKER)
        late = last is None or clock.now() - last.at > timing.BEAT_LATE
    except (DatabaseError, InterfaceError):
        return  # told elsewhere
    words = "" if lying is None else f" {sum(lying.values())} words wait in Redis."
    if last is None:
        yield look(
            "workers",
            f"None has ever run.{words}",
            "Fine where the clock alone is enough; else start sayso-worker and sayso-beat.",
        )
    elif late:
        yield look(
            "workers",
            f"They have done nothing since {last.at:%Y-%m-%d %H:%M} UTC.{words}",
            "systemctl status sayso-worker sayso-beat; the clock does their work meanwhile.",
        )
    else:
        yield well("workers", f"They go round.{words}")


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
