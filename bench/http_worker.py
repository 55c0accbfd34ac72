"""The processes of bench/http.py: one makes the world and a machine's token, one counts."""

import json
import os
import sys
from datetime import timedelta
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.utils import timezone  # noqa: E402 - Django must be set up first
from oauth2_provider.models import AccessToken  # noqa: E402

from audit.models import Entry  # noqa: E402
from audit.vocabulary import EntryType, Via  # noqa: E402
from bench.withdrawal_worker import world as demonstration  # noqa: E402
from governance.actions import machines  # noqa: E402
from governance.models import AccessRequest, User  # noqa: E402
from governance.vocabulary import MachineScope, RequestState  # noqa: E402
from release.actions import releases  # noqa: E402
from release.models import Download  # noqa: E402

TOKEN = "bench-token-bench-token-bench-token"  # noqa: S105 - of a world that ends with the run


def world(folder: str) -> dict[str, str]:
    """The demonstration's world, one package in it, and a token as the door gives them."""
    Path(folder).mkdir(exist_ok=True)
    demonstration(folder)
    request = AccessRequest.objects.get(state=RequestState.APPROVED)
    machine = User.objects.get(username="university-machine")
    admin = User.objects.get(username="university-admin")
    hand = {"by": admin, "at": timezone.now(), "via": Via.COMMAND}
    client, _ = machines.register(
        user=machine,
        organisation=request.requester,
        label="bench",
        scopes=[MachineScope.READ, MachineScope.FETCH],
        **hand,
    )
    token = AccessToken(
        application=client.application,
        scope="read fetch",
        expires=timezone.now() + timedelta(hours=1),
    )
    token.token, token._raw_token = "", TOKEN
    token.save()
    asked = releases.ask(request=request, by=machine, at=timezone.now(), via=Via.API)
    done = releases.run(release=asked, at=timezone.now())
    return {"release": done.ref, "token": TOKEN, "state": done.state}


def counts() -> dict[str, int]:
    """What the decisions left behind."""
    given = Entry.objects.filter(type=EntryType.DOWNLOAD_GIVEN)
    return {"downloads": Download.objects.count(), "entries": given.count()}


if __name__ == "__main__":
    print(json.dumps({"world": world, "counts": counts}[sys.argv[1]](*sys.argv[2:])))
