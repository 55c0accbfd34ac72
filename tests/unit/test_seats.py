"""How many releases are written at once on one machine."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack

import pytest

from common.errors import NotReady
from release.engine.seats import seat

HOLD = """
import sys, time
from pathlib import Path
from release.engine.seats import seat
with seat(Path(sys.argv[1]), 1):
    print("seated", flush=True)
    time.sleep(60)
"""


def taken(folder, seats, within=0.3):
    """Whether one more has to wait."""
    sat = threading.Event()
    over = threading.Event()

    def sit():
        with seat(folder, seats):
            sat.set()
            over.wait(5)

    waiting = threading.Thread(target=sit, daemon=True)
    waiting.start()
    had_to_wait = not sat.wait(within)
    over.set()
    return had_to_wait, waiting


def test_as_many_sit_as_there_are_seats_and_the_next_one_waits(tmp_path):
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(seat(tmp_path, 2))
        had_to_wait, waiting = taken(tmp_path, 2)
        assert had_to_wait
    waiting.join(5)
    assert not waiting.is_alive()


def test_a_free_seat_is_taken_at_once(tmp_path):
    with seat(tmp_path, 2):
        had_to_wait, waiting = taken(tmp_path, 2, within=5)
    waiting.join(5)
    assert not had_to_wait


def test_who_is_killed_leaves_the_seat(tmp_path):
    sitting = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE)
    try:
        assert sitting.stdout.readline() == b"seated\n"
        had_to_wait, waiting = taken(tmp_path, 1)
        assert had_to_wait
    finally:
        os.kill(sitting.pid, signal.SIGKILL)
        sitting.wait()
        sitting.stdout.close()
    waiting.join(5)
    assert not waiting.is_alive()


def test_where_the_folder_takes_no_file_the_release_waits(tmp_path):
    (tmp_path / "data").write_text("a file where a folder should be")
    with pytest.raises(NotReady) as refusal, seat(tmp_path / "data", 2):
        pass
    assert refusal.value.code == "storage_unwritable"
