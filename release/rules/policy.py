"""By which rules an answer about rows was given: the policy digest of its entry. Pure."""

from audit.rules import policy_digest
from common import sources
from governance.rules.policies import Basis

# Who may leave, with what, until when: every pure module that has a part in it (a test follows their
# imports). The digest is made from what they say when the process begins.
GATE_MODULES = (
    "consent.rules",
    "release.rules.decide",
    "release.rules.inquiries",
    "release.rules.named",
    "release.rules.person",
    "release.rules.slots",
    "release.rules.timing",
)
GATE_RULES = sources.digest(GATE_MODULES)
# What they said in each version that was given out, the latest last; "1" was a number.
GATE_PUBLISHED = (
    "1",
    "e5c254b0cfc1f3ab9d00a337d6217584f00ee822a034b0aa65c38cbeee5ceacd",
    "6c11f04ac419230f68ab2592fe130616c5600c5ce3915e53534cd11d5665aabd",
    "08af5cd677ad88effd911bf5684c320c367a414d18866ee86f03d92ea320f57c",
)


def gate_policy(basis: Basis, rules: str = GATE_RULES) -> str:
    """What the gate decided by: its rules, the purpose, the agreement as it was signed, the charter."""
    return policy_digest(
        {
            "rules": f"gate/{rules}",
            "purpose": basis.purpose,
            "agreement": basis.agreement,
            "text": basis.text,
            "charter": basis.charter,
        }
    )
