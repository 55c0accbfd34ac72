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
    # One of the two: the clock in one process, or in a worker and a beat that Redis ties together.
    CLOCK: ["manage.py", "work"],
    WORKER: ["-m", "celery", "-A", "config", "worker"],
    BEAT: ["-m", "celery", "-A", "config", "beat"],
}
# What `make run` starts on one machine: there the clock numbers the log as well.
DEMONSTRATION = (CLOCK, WEB)


def command(name: str, python: str = PYTHON) -> list[str]:
    """How the named process is started."""
    return [python, *PROCESSES[name]]
