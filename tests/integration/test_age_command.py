"""What a recipient does without anything of ours: the `age` command line and a key it made itself."""

import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from governance.actions import keys
from governance.models import RecipientKey
from tests.worlds import World, hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def age() -> str:
    """The command; the test is skipped, saying so, where it is absent."""
    found = shutil.which("age")
    if found is None:
        pytest.skip("needs the age command line (Debian: apt-get install age)")
    return found


def registered(world: World, made: Path) -> None:
    """The recipient's administrator registers the key that `age-keygen` made, instead of the old."""
    current = RecipientKey.objects.get(organisation=world.recipient, ended_at__isnull=True)
    keys.end(key=current, **hand(world.recipient_admin))
    public = made.read_text().splitlines()[1].removeprefix("# public key: ")
    keys.register(organisation=world.recipient, public_key=public, **hand(world.recipient_admin))


def test_the_age_command_line_opens_what_was_picked_up_with_a_key_it_made(age, tmp_path):
    key = tmp_path / "key.txt"
    subprocess.run(["age-keygen", "-o", key], check=True, capture_output=True)
    world = small_world(3, part_rows=2)
    registered(world, key)
    zipped = zipfile.ZipFile(io.BytesIO(world.fetch(world.prepare())))
    sealed = [name for name in zipped.namelist() if name.endswith(".age")]
    assert len(sealed) == 3
    rows = 0
    for name in sealed:
        part = tmp_path / Path(name).name
        part.write_bytes(zipped.read(name))
        clear = subprocess.run(
            [age, "--decrypt", "-i", key, part], check=True, capture_output=True
        ).stdout
        table = pq.read_table(io.BytesIO(clear))
        assert table.column_names == ["person", "age_band", "region", "visits"]
        rows += table.num_rows
    assert rows == 6


def test_the_age_command_line_does_not_open_it_with_another_key(age, tmp_path):
    world = small_world(1)
    zipped = zipfile.ZipFile(io.BytesIO(world.fetch(world.prepare())))
    (name,) = (name for name in zipped.namelist() if name.endswith(".age"))
    key, part = tmp_path / "key.txt", tmp_path / "part.age"
    subprocess.run(["age-keygen", "-o", key], check=True, capture_output=True)
    part.write_bytes(zipped.read(name))
    done = subprocess.run([age, "--decrypt", "-i", key, part], check=False, capture_output=True)
    assert done.returncode != 0
    assert done.stdout == b""
