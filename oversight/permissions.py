"""Who may check: auditors of those who convene or pay, who hold no data and ask for none."""

from governance import permissions as governance
from governance.models import Organisation, User
from oversight.models import AuditCase, Finding


def check_can_reconcile(user: User) -> None:
    """Have the log compared with everything that is kept: auditors, and the community."""
    if not governance.can_convene(user):
        governance.check_can_oversee(user)


def check_can_export(user: User) -> None:
    """Take entries out of the log: auditors alone."""
    governance.check_can_oversee(user)


def check_can_read(user: User, organisation: Organisation) -> None:
    """Read every entry of the log, in this organisation's name."""
    governance.check_can_read_log(user, organisation)


def check_can_open(user: User, organisation: Organisation) -> None:
    """Open an audit case in this organisation's name: its auditors, where they may read the log."""
    governance.check_can_read_log(user, organisation)


def can_look(user: User, case: AuditCase) -> bool:
    return governance.can_read_log(user, case.organisation)


def check_can_look(user: User, case: AuditCase) -> None:
    """Read the log for this case, and everything of the case: the auditors of its organisation."""
    governance.check_can_read_log(user, case.organisation)


def check_can_issue(user: User, holder: Organisation) -> None:
    """Give auditors a word for one of this holder's clients: its stewards, who know the number."""
    governance.check_can_steward(user, holder)


def can_answer(user: User, finding: Finding) -> bool:
    here = finding.organisation
    return governance.can_steward(user, here) or governance.can_administer(user, here)


def check_can_answer(user: User, finding: Finding) -> None:
    """Answer a finding: the stewards and administrators of the organisation it is about."""
    if not governance.can_steward(user, finding.organisation):
        governance.check_can_administer(user, finding.organisation)
