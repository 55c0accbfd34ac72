"""Every process of an installation and its command: one list for `make run`, for the containers and
for the service units."""

PYTHON = "python"
WEB = "web"
CLOCK = "clock"
SEQUENCER = "sequencer"
WORKER = "worker"
BEAT = "beat"

# Each after the interpreter's own name.
PROCESSES: dict[str, list[str]] = {
    WEB: ["-m", "gunicorn", "-c", "python:config.gunicorn", "config.wsgi"],
    SEQUENCER: ["manage.py", "sequencer"],
    # The whole clock in one process, without a broker: enough alone, and the sweeper beside workers.
    CLOCK: ["manage.py", "work"],
    # The same through Redis, by several hands: a beat asks, workers do.
    WORKER: ["-m", "celery", "-A", "config", "worker"],
    BEAT: ["-m", "celery", "-A", "config", "beat"],
}
# What `make run` starts on one machine: there the clock numbers the log as well.
DEMONSTRATION = (CLOCK, WEB)


def command(name: str, python: str = PYTHON) -> list[str]:
    """How the named process is started."""
    return [python, *PROCESSES[name]]
