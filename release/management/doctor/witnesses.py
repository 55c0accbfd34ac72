"""Who witnesses the log from outside, and what they say of it."""

from collections.abc import Iterator

from django.conf import settings

from audit import queries as log
from audit.vocabulary import WitnessTrouble
from release.management.doctor.findings import Finding, bad, look, well

ASK = "Ask whoever runs it; compare its key and address with the policy file."
SAYS: dict[WitnessTrouble, tuple[str, str]] = {
    WitnessTrouble.WELL: ("follows the log", ""),
    WitnessTrouble.UNREACHABLE: ("does not answer in time", ASK),
    WitnessTrouble.BUSY: ("cannot answer at present", ASK),
    WitnessTrouble.UNKNOWN_LOG: (
        "does not know this log",
        "Send whoever runs it what `manage.py log_key` prints.",
    ),
    WitnessTrouble.UNTRUSTED_KEY: (
        "does not trust the key this log signs with",
        "Send whoever runs it what `manage.py log_key` prints.",
    ),
    WitnessTrouble.MALFORMED: ("answered something that no witness answers", ASK),
    WitnessTrouble.FALSE: ("answered a signature that is not over this log", ASK),
    WitnessTrouble.HOLDS_MORE: (
        "has signed a larger log under our key than this one",
        "An older backup was restored, or two logs run under one key. Hand nothing over; run "
        "`manage.py verify_log --checkpoint` with the head that it shows.",
    ),
    WitnessTrouble.DOES_NOT_GO_ON: (
        "has signed a log under our key from which this one does not go on",
        "The log was rewritten, or two logs run under one key. Hand nothing over; run "
        "`manage.py verify_log --checkpoint` with the head that it shows.",
    ),
}
OURS = {WitnessTrouble.HOLDS_MORE, WitnessTrouble.DOES_NOT_GO_ON}


def findings() -> Iterator[Finding]:
    """Raises DatabaseError where the database does not answer."""
    standings = log.standings()
    if not standings:
        yield look(
            "witnesses",
            "Nobody outside signs the log: whoever has its key and its database could rewrite it.",
            "Have others run a witness, and set SAYSO_WITNESSES. See docs/operating.md.",
        )
    for each in standings:
        says, do = SAYS[each.trouble]
        sentence = f"{each.name} {says}; it has signed {each.size} entries"
        sentence += f", and {each.faults} answers of its could not be true." if each.faults else "."
        if each.trouble in OURS:
            yield bad("witness", sentence, do)
        elif do:
            yield look("witness", sentence, do)
        elif each.faults:
            yield look("witness", sentence, ASK)
        else:
            yield well("witness", sentence)
    if standings and not settings.WITNESSES_GATE:
        yield look(
            "witnesses",
            "Hand-overs do not wait for witnesses.",
            "Set SAYSO_WITNESSES_GATE=1 once they answer reliably.",
        )
