"""Where nobody has said no yet, there is nothing to say again."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from audit.vocabulary import Via
from governance.actions import people
from governance.storage import noes_file

pytestmark = pytest.mark.django_db(transaction=True)


def test_before_the_first_no_there_is_nothing_to_say_again():
    people.create_first_administrator(
        username="north-hazel-7",
        password="a long phrase for tests 41",
        organisation_name="Commons",
        at=timezone.now(),
        via=Via.COMMAND,
    )
    assert not noes_file().path.exists()
    out = StringIO()
    call_command("replay_noes", "--by", "north-hazel-7", stdout=out)
    assert out.getvalue().splitlines() == [
        "0 noes said again, 0 needed nothing.",
        "The gate is open.",
    ]
