"""By which rules an answer about rows was given: the policy digest of its entry. Pure."""

from audit.rules import policy_digest
from governance.rules.policies import Basis

# Raised by one whenever `rules.decide`, `rules.person` or `consent.rules` come to answer otherwise
# than before; former numbers stay valid for the entries of their time.
GATE_RULES = 1


def gate_policy(basis: Basis, rules: int = GATE_RULES) -> str:
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
