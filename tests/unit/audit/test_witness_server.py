"""The witness as a program of its own: its commands, its HTTP, and what it is never made to do."""

import http.client
import os
import signal
import socket
import stat
import subprocess
import sys
from contextlib import closing, contextmanager
from hashlib import sha256
from threading import Thread

import pytest

from audit.tlog.asking import LARGEST_BODY
from audit.tlog.cosignatures import cosignatures, parse_cosigner
from audit.witness import __main__ as program
from audit.witness import keys, server
from audit.witness.keys import Unusable
from audit.witness.server import Server
from tests.architecture.source import BASE
from tests.unit.audit.test_witness import (
    AT,
    LEAVES,
    LOG,
    NEXT,
    ORIGIN,
    Checkpoint,
    body,
    root_of,
    watching,
)


@pytest.fixture
def place(tmp_path):
    with Server("127.0.0.1", 0, watching(tmp_path / "w"), clock=lambda: AT + 0.9) as listening:
        thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield listening.server_address
        listening.shutdown()
        thread.join()


def post(place, data, path="/add-checkpoint", headers=None):
    with line(place) as asking:
        asking.request("POST", path, data, headers or {})
        return read(asking)


@contextmanager
def line(place):
    with closing(http.client.HTTPConnection(*place, timeout=5)) as asking:
        yield asking


def get(place, path, method="GET"):
    with line(place) as asking:
        asking.request(method, path)
        return read(asking)


def read(asking):
    answer = asking.getresponse()
    return answer.status, answer.read().decode(), answer.headers


def test_a_log_is_answered_over_http_as_the_specification_says(place):
    status, lines, headers = post(place, body(0, 5))
    assert status == 200
    text = Checkpoint(ORIGIN, 5, root_of(LEAVES[:5])).render()
    name, public = lines.split(" ")[1], keys._key("witness.example/w1", b"\x04", b"\x02" * 32)
    assert len(cosignatures(text, lines, [public.cosigner])) == 1
    assert (name, headers["Cache-Control"]) == ("witness.example/w1", "no-store")
    status, size, headers = post(place, body(4, 6))
    assert (status, size, headers["Content-Type"]) == (409, "5\n", "text/x.tlog.size")
    assert post(place, b"nonsense")[0] == 400


def test_many_requests_may_come_over_one_connection(place):
    with line(place) as asking:
        for old, size in [(0, 5), (5, 6), (5, 7), (6, 7)]:
            asking.request("POST", "/add-checkpoint", body(old, size))
            assert read(asking)[0] == (409 if (old, size) == (5, 7) else 200)


def test_the_largest_head_is_shown_to_whoever_asks(place):
    where = f"/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint"
    assert get(place, where)[0] == 404
    post(place, body(0, 5))
    status, note, headers = get(place, where)
    assert (status, headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert note.startswith(f"{ORIGIN}\n5\n")
    for path in ("/", "/checkpoint", "/x/checkpoint", "/a/b/c", "/%00/checkpoint"):
        assert get(place, path)[0] == 404
    assert post(place, body(5, 6), path="/other")[0] == 404


def test_another_method_is_not_known(place):
    assert get(place, "/add-checkpoint", method="DELETE")[0] == 501


def raw(place, data, *, shut=False):
    with socket.create_connection(place, timeout=5) as wire:
        wire.sendall(data)
        if shut:
            wire.shutdown(socket.SHUT_WR)
        found = b""
        while more := wire.recv(4096):
            found += more
        return found.decode("latin-1")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ("", 411),
        ("Content-Length: -1\r\n", 411),
        ("Content-Length: 1_0\r\n", 411),
        ("Content-Length: \u0661\r\n", 411),
        ("Content-Length: 9999999999\r\n", 411),
        (f"Content-Length: {LARGEST_BODY + 1}\r\n", 413),
        ("Transfer-Encoding: chunked\r\n", 411),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 411),
    ],
)
def test_a_body_without_a_length_or_with_too_much_is_not_read(place, headers, status):
    request = f"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\n{headers}\r\n"
    answer = raw(place, request.encode())
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert "Connection: close" in answer


def test_a_body_that_breaks_off_is_not_judged(place):
    data = body(0, 5)
    head = f"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: {len(data)}\r\n\r\n"
    assert raw(place, head.encode() + data[:-1], shut=True) == ""
    assert post(place, data)[0] == 200  # the old size is still 0


def test_who_sends_nothing_is_left(place, monkeypatch):
    monkeypatch.setattr(server.Handler, "timeout", 0.05)
    assert raw(place, b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 5\r\n\r\n") == ""
    assert raw(place, b"") == ""
    assert post(place, body(0, 5))[0] == 200


def test_no_request_is_lost_where_more_come_than_are_served_at_once(place, monkeypatch):
    asking = [Thread(target=post, args=(place, body(0, 5))) for _ in range(20)]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert post(place, body(4, 6))[1] == "5\n"


def test_a_file_that_cannot_be_used_now_is_503(tmp_path, capfd):
    witness = watching(tmp_path / "w")
    with Server("127.0.0.1", 0, witness) as listening:
        thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        (tmp_path / "w").unlink()
        status, says, _ = post(listening.server_address, body(0, 5))
        listening.shutdown()
        thread.join()
    assert (status, says.count("\n")) == (503, 1)
    assert "cannot be used" in capfd.readouterr().err


# --- commands -------------------------------------------------------------------------------------


def run(*words):
    return program.main([str(word) for word in words])


@pytest.mark.parametrize("kind", ["ed25519", "ml-dsa-44"])
def test_a_key_is_made_for_its_owner_alone_and_its_public_half_told(tmp_path, capsys, kind):
    file = tmp_path / "key"
    assert run("key", file, "--name", "witness.example/w1", "--kind", kind) == 0
    told = capsys.readouterr().out.strip()
    assert parse_cosigner(told).name == "witness.example/w1"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert keys.read(file).cosigner.render() == told
    assert run("key", file, "--name", "witness.example/w1") == 2
    assert capsys.readouterr().err == "key is there already; it is left alone.\n"


def test_logs_are_named_and_listed(tmp_path, capsys):
    file = tmp_path / "w"
    for _ in range(2):  # twice changes nothing
        assert run("add-log", "--database", file, LOG.verifier.render()) == 0
    assert run("logs", "--database", file) == 0
    assert f"{ORIGIN}: 0 entries" in capsys.readouterr().out
    assert run("drop-key", "--database", file, NEXT.verifier.render()) == 2
    assert run("drop-key", "--database", file, LOG.verifier.render()) == 0
    witness = watching(file)
    witness.add_checkpoint(body(0, 5), at=AT)
    witness.add_checkpoint(body(5, 5, LEAVES[::-1]), at=AT)
    capsys.readouterr()
    assert run("logs", "--database", file) == 0
    assert run("disputes", "--database", file) == 0
    said = capsys.readouterr().out
    assert f"{ORIGIN}: 5 entries" in said
    assert "The old root is not the one of its size." in said


def bad_key(folder, text, mode=0o600):
    file = folder / "bad"
    file.write_text(text)
    file.chmod(mode)
    return file


GOOD = "PRIVATE+KEY+w+{}+BAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC"


@pytest.mark.parametrize(
    ("text", "mode", "says"),
    [
        ("", 0o600, "holds no witness's key"),
        ("PRIVATE+KEY+w", 0o600, "five parts"),
        ("PRIVATE+KEY++00000000+AAAA", 0o600, "key name"),
        ("PRIVATE+KEY+w+00000000+AAAA", 0o600, "another kind"),
        (GOOD.format("00000000"), 0o600, "id is not"),
        (GOOD.format("00000000"), 0o644, "Others can read bad"),
    ],
)
def test_a_file_that_holds_no_key_of_ours_is_refused(tmp_path, text, mode, says):
    with pytest.raises(Unusable, match=says):
        keys.read(bad_key(tmp_path, text, mode))


def test_what_is_not_there_is_said_in_one_sentence(tmp_path, capsys):
    key, file = tmp_path / "key", tmp_path / "w"
    run("key", key, "--name", "w")
    (tmp_path / "text").write_text("no database")
    tries = [
        (["serve", "--database", file, "--key", key], "There is no file w"),
        (["logs", "--database", tmp_path / "text"], "text cannot be used"),
        (["add-log", "--database", tmp_path / "none" / "w", LOG.verifier.render()], "w cannot"),
        (["add-log", "--database", file, "no key"], "three parts"),
        (["serve", "--database", file, "--key", tmp_path / "none"], "cannot be read"),
        (["serve", "--database", file, "--key", key, "--port", 99999], "Nothing can listen"),
        (["key", tmp_path / "none" / "key", "--name", "w"], "cannot be written"),
        (["key", tmp_path / "other", "--name", "two words"], "key name"),
    ]
    capsys.readouterr()
    for number, (words, says) in enumerate(tries):
        if number == 4:
            run("add-log", "--database", file, LOG.verifier.render())
        assert run(*words) == 2
        said = capsys.readouterr().err
        assert says in said
        assert said.count("\n") == 1


def test_it_runs_alone_without_django_and_ends_when_told(tmp_path):
    run("key", tmp_path / "key", "--name", "witness.example/w1")
    run("add-log", "--database", tmp_path / "w", LOG.verifier.render())
    words = ["serve", "--database", tmp_path / "w", "--key", tmp_path / "key", "--port", "0"]
    code = (
        "import sys; sys.modules['django'] = None; from audit.witness.__main__ import main; "
        "raise SystemExit(main(sys.argv[1:]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        cwd=BASE,
        env={"PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            said = process.stdout.readline()
            place = ("127.0.0.1", int(said.rsplit(":", 1)[1].strip(".\n")))
            assert post(place, body(0, 5))[0] == 200
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=20)
        finally:
            process.kill()
    assert (process.returncode, said) == (0, "The witness has ended.\n")
