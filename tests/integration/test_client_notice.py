"""What may not be passed on: the client lays the notice beside the files and shows it (R17)."""

from pathlib import Path

import pytest
from sayso_client.cli import main
from sayso_client.packages import fetch

from audit import queries as log
from governance.actions import catalogue
from governance.vocabulary import Care
from release.models import Release
from release.vocabulary import DownloadPart
from tests.worlds import World, hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)


class Door:
    """The service's answers without a server between: the same bytes as its addresses give."""

    def __init__(self, world: World, release: Release) -> None:
        self.world, self.release = world, release

    def bytes(self, path: str) -> bytes:
        if path.endswith("/proof/"):
            return log.proof(self.release.entry).encode()
        return b"".join(self.world.hand_over(self.release, DownloadPart.MANIFEST).chunks)

    def pieces(self, address: str, *, etag: str, came: int):
        number = int(address.rstrip("/").rpartition("/")[2])
        handed = self.world.hand_over(self.release, DownloadPart.PART, number=number, first=came)
        yield came, b"".join(handed.chunks)


def test_R17_the_notice_lies_beside_the_files_and_is_shown_only_where_it_stands(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("SAYSO_LOG_KEY", log.log_verifier().render())
    world = small_world(1, each=1)
    plain, notice = taken(world, tmp_path / "plain"), tmp_path / "plain" / "NOTICE.txt"
    assert not notice.exists()
    assert main(["verify", str(plain)]) == 0
    assert "pass" not in capsys.readouterr().err
    catalogue.restrict(category=world.categories[1], care=Care.SUBSTANCE_USE, **hand(world.chair))
    bound = taken(world, tmp_path / "bound")
    beside = (bound / "NOTICE.txt").read_text(encoding="utf-8")
    for said in ("42 CFR part 2", "You may not pass them on", "region, visits", "rests on a yes"):
        assert said in beside
    assert main(["verify", str(bound)]) == 0
    assert beside in capsys.readouterr().err


def taken(world: World, folder: Path) -> Path:
    release = world.prepare()
    fetch(Door(world, release), release.ref, folder, identity=world.identity, log_key=None)
    return folder
