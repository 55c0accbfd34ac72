"""New heads go to the witnesses, and what they sign comes back (C2SP tlog-witness, the log's side).

The head and how far each witness has followed are the queue. What waits for an answer is a thread
that touches no table; the sequencer is never asked to wait. A slow witness holds nobody else up: each
answer is kept as it comes, and who did not answer is asked again later and later.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from audit.models import Checkpoint, Cosignature, Entry, WitnessFault, WitnessState
from audit.models.witnesses import LARGEST_ANSWER
from audit.queries import witnesses as read
from audit.queries.log import consistency, latest_checkpoint
from audit.tlog.asking import Request
from audit.tlog.cosignatures import cosignatures
from audit.tlog.notes import Signature, parse_note
from audit.tlog.policy import Witness
from audit.tlog.texts import Malformed, Unproven, parse_decimal
from audit.vocabulary import WitnessTrouble
from common.errors import NotReady
from common.words import sentence as _

PATIENCE = 2.0  # seconds for one witness's answer
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(minutes=10)
LARGEST_BODY = 65_536
PAUSE = 0.05
SIZE = "text/x.tlog.size"
TOO_MUCH = 999  # no status of HTTP: an answer longer than any the protocol knows


@dataclass(frozen=True)
class Answer:
    """What a witness said; status 0 where it said nothing in time."""

    status: int
    kind: str = ""
    body: bytes = b""


@dataclass(frozen=True)
class Asking:
    """One head on its way to one witness, from the size that we believe it holds."""

    witness: Witness
    old: int
    checkpoint: Checkpoint

    @property
    def body(self) -> bytes:
        path = consistency(self.old, self.checkpoint.size) if self.old else []
        return Request(self.old, tuple(path), self.checkpoint.note).render().encode()


@dataclass(frozen=True)
class Judged:
    """What an answer comes to: what was signed, or what is the matter, or from where to ask anew."""

    trouble: WitnessTrouble
    signed: tuple[Signature, ...] = ()
    held: int | None = None


Send = Callable[[str, bytes], Answer]


def feed(*, at: datetime) -> int:
    """Ask every witness that is due for its cosignature of the latest head; how many signed."""
    witnesses = list(_addressed())
    if not witnesses:
        return 0
    if connection.in_atomic_block:
        raise RuntimeError("A witness is asked outside of any transaction.")
    head = latest_checkpoint()
    if head is None:
        return 0
    due = [each for each in witnesses if _claim(each, head, at)]
    if not due:
        return 0
    return _round([_asking(each, head) for each in due], again=True)


def await_quorum(*, entry: Entry, seconds: float = 10.0) -> None:
    """Wait until enough witnesses have signed a head over this entry, where that is demanded.

    Raises NotReady (not_witnessed) where they have not in time; nothing may leave then.
    """
    if not settings.WITNESSES_GATE:
        return
    deadline = time.monotonic() + seconds
    while read.witnessed_over(entry) is None:
        if time.monotonic() >= deadline:
            raise NotReady(
                "not_witnessed",
                _("Not enough witnesses outside have signed this yet. Try again in a moment."),
            )
        if not feed(at=timezone.now()):  # no one's deed, so no one passes its moment
            time.sleep(PAUSE)


def _addressed() -> Iterator[Witness]:
    return (each for each in read.policy().witnesses.values() if each.url)


def _claim(witness: Witness, head: Checkpoint, at: datetime) -> bool:
    """Whether this process asks it now: one at a time does, and who failed is left alone a while."""
    name = read.label(witness)
    WitnessState.objects.get_or_create(name=name, defaults={"next_at": at})
    until = at + timedelta(seconds=2 * PATIENCE + 1)
    return bool(
        WitnessState.objects.filter(name=name, next_at__lte=at, size__lt=head.size).update(
            next_at=until
        )
    )


def _asking(witness: Witness, head: Checkpoint) -> Asking:
    state = WitnessState.objects.get(name=read.label(witness))
    return Asking(witness, min(state.size, head.size), head)


def _round(askings: list[Asking], *, again: bool) -> int:
    """Ask all at once; whoever holds another size than we thought is asked once more from there."""
    done, stale = 0, []
    with ThreadPoolExecutor(len(askings)) as threads:
        sent: dict[Future[Answer], Asking] = {
            threads.submit(_post, asking.witness.url, asking.body): asking for asking in askings
        }
        for future in as_completed(sent):
            asking, answer = sent[future], future.result()
            judged = _judge(asking, answer)
            if judged.held is not None and again:
                stale.append(Asking(asking.witness, judged.held, asking.checkpoint))
            else:
                done += _kept(asking, answer, judged)
    return done + (_round(stale, again=False) if stale else 0)


def _judge(asking: Asking, answer: Answer) -> Judged:
    """What an answer means. Whatever is not the protocol's own is malformed."""
    match answer.status:
        case 0:
            return Judged(WitnessTrouble.UNREACHABLE)
        case 200:
            return _signed(asking, answer)
        case 403:
            return Judged(WitnessTrouble.UNTRUSTED_KEY)
        case 404:
            return Judged(WitnessTrouble.UNKNOWN_LOG)
        case 409:
            return _stale(asking, answer)
        case 422:
            return Judged(WitnessTrouble.DOES_NOT_GO_ON)
        case status if status == 429 or 500 <= status < 600:
            return Judged(WitnessTrouble.BUSY)
        case _:
            return Judged(WitnessTrouble.MALFORMED)


def _signed(asking: Asking, answer: Answer) -> Judged:
    text = parse_note(asking.checkpoint.note).text
    try:
        found = cosignatures(text, answer.body.decode(), [asking.witness.cosigner])
    except (UnicodeDecodeError, Malformed):
        return Judged(WitnessTrouble.MALFORMED)
    except Unproven:
        return Judged(WitnessTrouble.FALSE)
    return Judged(WitnessTrouble.WELL if found else WitnessTrouble.FALSE, found)


def _stale(asking: Asking, answer: Answer) -> Judged:
    text = answer.body.decode("latin-1")
    if answer.kind != SIZE or not text.endswith("\n"):
        return Judged(WitnessTrouble.MALFORMED)
    try:
        held = parse_decimal(text[:-1], what="size")
    except Malformed:
        return Judged(WitnessTrouble.MALFORMED)
    if held > asking.checkpoint.size:
        return Judged(WitnessTrouble.HOLDS_MORE)
    if held == asking.old:  # that is what we asked from: it cannot be stale
        return Judged(WitnessTrouble.MALFORMED)
    return Judged(WitnessTrouble.WELL, held=held)


FACTS = frozenset(
    {
        WitnessTrouble.MALFORMED,
        WitnessTrouble.FALSE,
        WitnessTrouble.HOLDS_MORE,
        WitnessTrouble.DOES_NOT_GO_ON,
    }
)


@transaction.atomic
def _kept(asking: Asking, answer: Answer, judged: Judged) -> int:
    """Write down how it went; 1 where it signed."""
    now = timezone.now()  # the answer is no one's deed
    name = read.label(asking.witness)
    state = WitnessState.objects.select_for_update().get(name=name)
    if judged.signed:
        _cosigned(asking, judged.signed, now)
        state.size = max(state.size, asking.checkpoint.size)
        state.trouble, state.failures, state.signed_at = WitnessTrouble.WELL, 0, now
        state.next_at = now
    else:
        if judged.held is not None:  # again another size: someone else feeds it at the same time
            state.size = judged.held
        state.trouble, state.failures = judged.trouble, state.failures + 1
        state.next_at = now + _pause(state.failures)
    state.save()
    if judged.trouble in FACTS:
        _fact(name, asking.checkpoint.size, judged.trouble, answer.body, now)
    return 1 if judged.signed else 0


def _cosigned(asking: Asking, signed: tuple[Signature, ...], now: datetime) -> None:
    for each in signed:
        Cosignature.objects.get_or_create(
            size=asking.checkpoint.size,
            name=each.name,
            key_id=each.key_id,
            defaults={"signature": each.value, "received_at": now},
        )


def _fact(name: str, size: int, kind: WitnessTrouble, body: bytes, now: datetime) -> None:
    """Keep a wrong answer; the same one again and again is one fact."""
    answer = body[:LARGEST_ANSWER]
    last = WitnessFault.objects.filter(name=name).order_by("-pk").first()
    if last is None or (last.kind, bytes(last.answer)) != (kind, answer):
        WitnessFault.objects.create(name=name, size=size, kind=kind, at=now, answer=answer)


def _pause(failures: int) -> timedelta:
    doubled: timedelta = FIRST_PAUSE * 2 ** min(failures - 1, 20)
    return min(doubled, LONGEST_PAUSE)


def _post(url: str, body: bytes) -> Answer:
    """`POST <url>/add-checkpoint`; no redirect is followed, and no more is read than has a place."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    host, port = str(parts.hostname), parts.port or (443 if secure else 80)
    try:
        with (
            socket.create_connection((host, port), timeout=PATIENCE) as plain,
            _cut_off(plain) as late,
        ):
            line = _secured(plain, host) if secure else plain
            with closing(line), closing(http.client.HTTPConnection(host, port)) as asking:
                asking.sock = line
                asking.request("POST", f"{parts.path}/add-checkpoint", body)
                answer = asking.getresponse()
                found = answer.read(LARGEST_BODY + 1)
                if len(found) > LARGEST_BODY:
                    return Answer(TOO_MUCH, "", found[:LARGEST_ANSWER])
                if answer.length or late.is_set():  # it broke off; that is nobody's word
                    return Answer(0)
                return Answer(answer.status, answer.headers.get("Content-Type", ""), found)
    except (OSError, http.client.HTTPException, ValueError):
        return Answer(0)


@contextmanager
def _cut_off(line: socket.socket) -> Iterator[threading.Event]:
    """Whoever drips a byte now and then is left as well: the whole has its time, not each byte."""
    late = threading.Event()
    other = line.dup()  # it reaches the connection also after it was wrapped

    def cut() -> None:
        late.set()
        with suppress(OSError):
            other.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(PATIENCE, cut)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
        other.close()


def _secured(line: socket.socket, host: str) -> socket.socket:
    return ssl.create_default_context().wrap_socket(line, server_hostname=host)
