"""From an approved request to an opened package, all at the desk, on rows that were really loaded."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.csv as pc
import pytest
from django.conf import settings as live
from django.test import Client
from django.utils import timezone
from pyrage import decrypt, x25519

from audit import queries as log
from governance.actions import keys
from governance.queries import noes
from governance.storage import noes_file
from release.actions import releases
from release.models import Download, Release
from release.vocabulary import ReleaseState, VoidGround
from tests import staffroom
from tests.factories import consent as said
from tests.staffroom import hand

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_folders(settings: Any, tmp_path: Path) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.SAYSO_DATA = tmp_path / "data"


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


@contextmanager
def without_key(holder: str) -> Iterator[None]:
    """The holder's key is away, as where its own key agent does not answer."""
    path = live.SAYSO_KEYS / f"{holder}.kek"
    away = path.rename(path.with_name("away"))
    try:
        yield
    finally:
        away.rename(path)


@contextmanager
def forgotten_no() -> Iterator[None]:
    """The file of noes holds one that the database does not know."""
    path = noes_file().path
    whole = path.read_bytes() if path.exists() else None
    noes_file().append([(b"m" * 16, b"facts")], x25519.Identity.generate().to_public)
    try:
        yield
    finally:
        if whole is None:
            path.unlink()
        else:
            path.write_bytes(whole)
        noes._views.clear()


def test_a_package_is_asked_for_taken_away_and_void_after_a_stop(tmp_path: Path) -> None:
    room = staffroom.build()
    version = staffroom.loaded(room, tmp_path, 20)
    text = said.terms(published_at=timezone.now() - timedelta(days=400))
    for n in range(1, 16):
        staffroom.yes(room, staffroom.person(room, f"C-{n}"), text)
    identity = x25519.Identity.generate()
    keys.register(
        organisation=room.recipient,
        public_key=str(identity.to_public()),
        **hand(room.recipient_admin),
    )
    asked = staffroom.approved(room)
    client = staffroom.enter(Client(), room.requester)
    assert "Ask for a release" in client.get(f"/desk/requests/{asked.ref}/").content.decode()
    there = client.post(f"/desk/requests/{asked.ref}/release/")["Location"]
    assert "is being prepared" in client.get(there).content.decode()
    with without_key(room.holder.ref):
        assert "The holder’s key is not there" in client.get(there).content.decode()
    with forgotten_no():
        assert "restored from an older copy" in client.get(there).content.decode()
    release = releases.run(release=Release.objects.get(), at=timezone.now())
    assert (release.state, release.rows, version.rows) == (ReleaseState.PREPARED, 15, 20)
    shown = client.get(there).content.decode()
    assert "11 to 50" in shown
    assert "no yes was given" not in shown
    assert str(identity.to_public()) in shown

    taken = client.post(f"{there}package/")
    assert taken.status_code == 200
    assert taken["Content-Disposition"] == f'attachment; filename="{release.ref}.zip"'
    data = body(taken)
    assert len(data) == int(taken["Content-Length"])
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        (part,) = [name for name in package.namelist() if name.endswith(".age")]
        table = pc.read_csv(io.BytesIO(decrypt(package.read(part), [identity])))
        manifest = json.loads(package.read("manifest.json"))
        proof = package.read("proof.tlog-proof").decode()
    assert table.num_rows == 15
    assert manifest["manifest"]["rows"] == 15
    assert client.get(f"{there}proof/").content.decode() == proof == log.proof(release.entry)
    assert Download.objects.get().by == room.requester
    assert "whole package" in client.get(there).content.decode()

    advocate = staffroom.enter(Client(), room.advocate)
    said_aloud = {"holder": room.holder.ref, "number": "C-3", "recipient": room.recipient.ref}
    assert advocate.post("/desk/stops/", said_aloud)["Location"] == "/desk/stops/done/"
    gone = client.post(f"{there}package/")
    assert gone.status_code == 410
    release.refresh_from_db()
    assert release.void_ground == VoidGround.PERSON_SAID_NO
    assert Download.objects.count() == 1
    told = client.get(there).content.decode()
    assert "This package is void" in told
    assert "Download the sealed package" not in told
