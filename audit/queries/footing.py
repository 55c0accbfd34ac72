"""What this installation must not be run on: keys that others can read, a database role that may do
too much. Asked by every process that goes on, before it begins; the demonstration stands outside."""

from django.conf import settings

from audit.queries import roles
from common import keyfiles
from common.errors import Fault, NotReady


def role_faults() -> list[Fault]:
    return [] if settings.DEMO else roles.role_faults()


def key_faults() -> list[Fault]:
    if settings.DEMO:
        return []
    found = []
    if misplaced := keyfiles.misplaced(settings.SAYSO_KEYS, settings.SAYSO_DATA):
        found.append(
            Fault(
                "key_in_data",
                f"Keys lie in the data folder ({_listed(misplaced)}): whoever copies the sealed "
                "rows copies what opens them. Move them to the key folder.",
            )
        )
    if exposed := keyfiles.exposed(settings.SAYSO_KEYS):
        found.append(
            Fault(
                "key_exposed",
                f"Others on this machine can read or change keys ({_listed(exposed)}). "
                "Take that away: chmod 600 on each file of the key folder.",
            )
        )
    return found


def check() -> None:
    """Raises NotReady with every sentence where there is a fault, and with the first one's code."""
    faults = [*key_faults(), *role_faults()]
    if faults:
        raise NotReady(faults[0].code, " ".join(fault.says for fault in faults))


def _listed(names: list[str]) -> str:
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + rest
