"""Opaque identifiers: random, without order, safe to print."""

import secrets

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
SIGNS = 13
REFERENCES = len(ALPHABET) ** SIGNS


def reference(prefix: str) -> str:
    """A public reference such as `req-7m2kq9d4xw8h`: a prefix and 60 random bits or more."""
    left, signs = secrets.randbelow(REFERENCES), []
    for _ in range(SIGNS):
        left, sign = divmod(left, len(ALPHABET))
        signs.append(ALPHABET[sign])
    return f"{prefix}-{''.join(signs)}"


def organisation_reference() -> str:
    return reference("org")


def user_reference() -> str:
    return reference("usr")


def dataset_reference() -> str:
    return reference("dst")


def version_reference() -> str:
    return reference("ver")


def agreement_reference() -> str:
    return reference("agr")


def request_reference() -> str:
    return reference("req")


def upload_reference() -> str:
    return reference("upl")


def release_reference() -> str:
    return reference("rel")


def recall_reference() -> str:
    return reference("rec")


def inquiry_reference() -> str:
    return reference("inq")


def download_reference() -> str:
    return reference("dwn")


def consent_reference() -> str:
    return reference("con")


def lifting_reference() -> str:
    return reference("lft")


def proposal_reference() -> str:
    return reference("pro")


def objection_reference() -> str:
    return reference("obj")


def shredding_reference() -> str:
    return reference("shr")


def hold_reference() -> str:
    return reference("hld")


def representative_reference() -> str:
    return reference("rep")


def minority_reference() -> str:
    return reference("min")


def flag_reference() -> str:
    return reference("flg")


def dispute_reference() -> str:
    return reference("dis")


def death_reference() -> str:
    return reference("dth")


def hidden_reference() -> str:
    return reference("hid")


def link_reference() -> str:
    return reference("lnk")


def question_reference() -> str:
    return reference("que")


def contest_reference() -> str:
    return reference("cor")


def import_reference() -> str:
    return reference("imp")


def invitation_reference() -> str:
    return reference("inv")


def reset_reference() -> str:
    return reference("rst")


def code_reference() -> str:
    return reference("cod")


def assignment_reference() -> str:
    return reference("asg")


def block_reference() -> str:
    return reference("blk")


def spoken_reference() -> str:
    return reference("spk")


def sitting_reference() -> str:
    return reference("sit")


def case_reference() -> str:
    return reference("cas")


def finding_reference() -> str:
    return reference("fnd")


def job_reference() -> str:
    return reference("job")


def worksheet_reference() -> str:
    return reference("wks")
