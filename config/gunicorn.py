"""How gunicorn serves the doors: `python -m gunicorn -c python:config.gunicorn config.wsgi`."""

import os
from pathlib import Path
from typing import Any

from common.logs import JsonLines

# Several web processes count failed sign-ins together only where Redis holds the count.
SHARED = bool(os.environ.get("REDIS_URL") or os.environ.get("REDIS_URL_FILE"))


def _number(name: str, default: int) -> int:
    word = os.environ.get(name, "") or str(default)
    if not word.isascii() or not word.isdigit() or int(word) < 1:
        raise SystemExit(f"{name}: {word!r} is not usable. Write a number from 1.")
    return int(word)


bind = os.environ.get("SAYSO_BIND", "") or "127.0.0.1:8000"
workers = _number("SAYSO_WEB_WORKERS", 2 if SHARED else 1)
threads = _number("SAYSO_WEB_THREADS", 4)
worker_class = "gthread"
timeout = 60
graceful_timeout = 20
keepalive = 5
# Heartbeats in memory: on a slow disk a worker seems dead that only waits.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - gunicorn unlinks it at once
forwarded_allow_ips = os.environ.get("SAYSO_PROXY_ADDRESSES", "") or "127.0.0.1"
control_socket_disable = True  # a way in that nobody asked for, and a file in a home folder
accesslog = None  # it would hold paths and addresses; config.requests writes what may be kept

if workers > 1 and not SHARED:
    raise SystemExit(
        "SAYSO_WEB_WORKERS: more than one web process needs REDIS_URL, or failed sign-ins are "
        "counted in each apart. Set REDIS_URL or SAYSO_WEB_WORKERS=1."
    )

logconfig_dict: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": JsonLines}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "gunicorn.error": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        "gunicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
    },
}

# Before the application is imported: the library that counts looks for the folder once.
FIGURES = Path(os.environ.get("SAYSO_METRICS", "") or "var/metrics").absolute()
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(FIGURES)


def on_starting(server: Any) -> None:
    """Figures begin at nothing with each start; files of dead processes would pile up."""
    FIGURES.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in FIGURES.glob("*.db"):
        path.unlink(missing_ok=True)
