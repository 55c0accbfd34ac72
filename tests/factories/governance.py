"""Rows of governance: who asks, for what, and what was answered."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from governance import models as g

START = datetime(2026, 1, 1, tzinfo=UTC)
LATER = START + timedelta(days=30)
HEX = "0123456789abcdef" * 4
numbers = itertools.count(1)


def digest() -> str:
    """64 hexadecimal signs that no other row has."""
    return f"{next(numbers):064x}"


def organisation(**given: Any) -> g.Organisation:
    n = next(numbers)
    return g.Organisation.objects.create(
        **{"name": f"Organisation {n}", "kind": "service_provider", "created_at": START, **given}
    )


def user(**given: Any) -> g.User:
    return g.User.objects.create(
        **{"username": f"birch-lake-{next(numbers)}", "kind": "staff", **given}
    )


def membership(**given: Any) -> g.Membership:
    return g.Membership.objects.create(
        **{
            "user": given.get("user") or user(),
            "organisation": given.get("organisation") or organisation(),
            "role": "steward",
            "started_at": START,
            **given,
        }
    )


def recipient_key(**given: Any) -> g.RecipientKey:
    return g.RecipientKey.objects.create(
        **{
            "organisation": given.get("organisation") or organisation(),
            "public_key": f"age1{next(numbers):058d}",
            "registered_by": given.get("registered_by") or user(),
            "registered_at": START,
            **given,
        }
    )


def api_token(**given: Any) -> g.ApiToken:
    return g.ApiToken.objects.create(
        **{
            "user": given.get("user") or user(kind="machine"),
            "organisation": given.get("organisation") or organisation(),
            "digest": digest(),
            "label": "nightly fetch",
            "created_at": START,
            "expires_at": LATER,
            **given,
        }
    )


def invitation(**given: Any) -> g.Invitation:
    return g.Invitation.objects.create(
        **{
            "organisation": given.get("organisation") or organisation(),
            "invited_by": given.get("invited_by") or user(),
            "digest": digest(),
            "created_at": START,
            "expires_at": LATER,
            **given,
        }
    )


def invited_role(**given: Any) -> g.InvitedRole:
    return g.InvitedRole.objects.create(
        **{"invitation": given.get("invitation") or invitation(), "role": "steward", **given}
    )


def account_reset(**given: Any) -> g.AccountReset:
    return g.AccountReset.objects.create(
        **{
            "user": given.get("user") or user(),
            "organisation": given.get("organisation") or organisation(),
            "kind": "both",
            "asked_by": given.get("asked_by") or user(),
            "asked_at": START,
            "expires_at": LATER,
            "first_digest": digest(),
            **given,
        }
    )


def agreed_reset(**given: Any) -> g.AccountReset:
    return account_reset(
        **{
            "agreed_by": given.get("agreed_by") or user(),
            "agreed_at": START,
            "second_digest": digest(),
            **given,
        }
    )


def board(**given: Any) -> g.Board:
    return g.Board.objects.create(
        **{"name": f"Board {next(numbers)}", "created_at": START, **given}
    )


def charter(**given: Any) -> g.Charter:
    return g.Charter.objects.create(
        **{
            "board": given.get("board") or board(),
            "number": 1,
            "quorum": 3,
            "survivor_minimum": 1,
            "threshold_percent": 60,
            "answer_days": 14,
            "adopted_at": START,
            **given,
        }
    )


def seat(**given: Any) -> g.Seat:
    return g.Seat.objects.create(
        **{
            "board": given.get("board") or board(),
            "kind": "survivor",
            "user": given.get("user") or user(),
            "started_at": START,
            **given,
        }
    )


def category(**given: Any) -> g.DataCategory:
    n = next(numbers)
    words = {"label_en": "About me", "label_es": "Sobre mí"}
    return g.DataCategory.objects.create(
        **{
            **words,
            "code": f"category-{n}",
            "description_en": "What you told us.",
            "description_es": "Lo que nos contó.",
            **given,
        }
    )


def category_version(**given: Any) -> g.CategoryVersion:
    return g.CategoryVersion.objects.create(
        **{
            "category": given.get("category") or category(),
            "number": 1,
            "published_at": START,
            **given,
        }
    )


def category_field(**given: Any) -> g.CategoryField:
    version = given.get("version") or category_version()
    return g.CategoryField.objects.create(**{"version": version, "name": "age_band", **given})


def standard_field(**given: Any) -> g.StandardField:
    return g.StandardField.objects.create(
        **{
            "standard": "htcds-2.0",
            "name": f"field_{next(numbers)}",
            "section": "Person",
            "core": True,
            "deprecated": False,
            "type": "text",
            "description": "What was said.",
            "field_sensitivity": "quasi",
            "category": given.get("category") or category(),
            **given,
        }
    )


def purpose(**given: Any) -> g.Purpose:
    return g.Purpose.objects.create(
        **{
            "code": f"purpose-{next(numbers)}",
            "kind": "research",
            "dpv": "ResearchAndDevelopment",
            "label_en": "Study",
            "label_es": "Estudio",
            "description_en": "To learn what helps.",
            "description_es": "Para saber qué ayuda.",
            "longest_days": 365,
            **given,
        }
    )


def dataset(**given: Any) -> g.Dataset:
    n = next(numbers)
    return g.Dataset.objects.create(
        **{
            "holder": given.get("holder") or organisation(),
            "board": given.get("board") or board(),
            "name": f"dataset-{n}",
            "title": f"Dataset {n}",
            "created_at": START,
            **given,
        }
    )


def data_field(**given: Any) -> g.Field:
    n = next(numbers)
    return g.Field.objects.create(
        **{
            "dataset": given.get("dataset") or dataset(),
            "name": f"field_{n}",
            "type": "text",
            "position": n,
            "category": given.get("category") or category(),
            "field_sensitivity": "quasi",
            **given,
        }
    )


def field_classification(**given: Any) -> g.FieldClassification:
    return g.FieldClassification.objects.create(
        **{
            "field": given.get("field") or data_field(),
            "category": given.get("category") or category(),
            "field_sensitivity": "quasi",
            "narrative": False,
            "classified_by": given.get("classified_by") or user(),
            "classified_at": START,
            **given,
        }
    )


def agreement(**given: Any) -> g.Agreement:
    return g.Agreement.objects.create(
        **{
            "holder": given.get("holder") or organisation(),
            "recipient": given.get("recipient") or organisation(kind="research"),
            "title": "Sharing for a study",
            "starts": START,
            "ends": LATER,
            "created_at": START,
            **given,
        }
    )


def agreement_dataset(**given: Any) -> g.AgreementDataset:
    return g.AgreementDataset.objects.create(
        **{
            "agreement": given.get("agreement") or agreement(),
            "dataset": given.get("dataset") or dataset(),
            **given,
        }
    )


def agreement_purpose(**given: Any) -> g.AgreementPurpose:
    return g.AgreementPurpose.objects.create(
        **{
            "agreement": given.get("agreement") or agreement(),
            "purpose": given.get("purpose") or purpose(),
            **given,
        }
    )


def agreement_category(**given: Any) -> g.AgreementCategory:
    return g.AgreementCategory.objects.create(
        **{
            "agreement": given.get("agreement") or agreement(),
            "category": given.get("category") or category(),
            **given,
        }
    )


def agreement_signature(**given: Any) -> g.AgreementSignature:
    return g.AgreementSignature.objects.create(
        **{
            "agreement": given.get("agreement") or agreement(),
            "organisation": given.get("organisation") or organisation(),
            "signed_by": given.get("signed_by") or user(),
            "signed_at": START,
            "digest": HEX,
            **given,
        }
    )


def access_request(**given: Any) -> g.AccessRequest:
    return g.AccessRequest.objects.create(
        **{
            "requester": given.get("requester") or organisation(kind="research"),
            "dataset": given.get("dataset") or dataset(),
            "purpose": given.get("purpose") or purpose(),
            "agreement": given.get("agreement") or agreement(),
            "reason": "To learn what helps.",
            "benefit": "What is learnt goes back to the people.",
            "starts": START,
            "ends": LATER,
            "created_by": given.get("created_by") or user(),
            "created_at": START,
            **given,
        }
    )


def request_field(**given: Any) -> g.RequestField:
    return g.RequestField.objects.create(
        **{
            "request": given.get("request") or access_request(),
            "field": given.get("field") or data_field(),
            **given,
        }
    )


def ballot(**given: Any) -> g.Ballot:
    return g.Ballot.objects.create(
        **{
            "request": given.get("request") or access_request(),
            "seat": given.get("seat") or seat(),
            "vote": "yes",
            "reason": "It helps.",
            "cast_at": START,
            **given,
        }
    )


def recusal(**given: Any) -> g.Recusal:
    return g.Recusal.objects.create(
        **{
            "request": given.get("request") or access_request(),
            "seat": given.get("seat") or seat(),
            "recused_at": START,
            **given,
        }
    )


def decision(**given: Any) -> g.Decision:
    return g.Decision.objects.create(
        **{
            "request": given.get("request") or access_request(),
            "charter": given.get("charter") or charter(),
            "outcome": "approved",
            "yes": 3,
            "no": 0,
            "survivors_present": 1,
            "decided_at": START,
            **given,
        }
    )


def scope(**given: Any) -> g.Scope:
    ours = {} if "everyone" in given else {"recipient": organisation()}
    return g.Scope.objects.create(**{**ours, **given})


def kept_no(**given: Any) -> g.KeptNo:
    mark = next(numbers).to_bytes(16, "big")
    ours = {"mark": mark, "act": "consent_withdrawn", "said_at": START, "facts": b"facts"}
    return g.KeptNo.objects.create(**{**ours, **given})


def scope_move(**given: Any) -> g.ScopeMove:
    return g.ScopeMove.objects.create(
        **{
            "scope": given.get("scope") or scope(),
            "epoch": 1,
            "act": "consent_withdrawn",
            "moved_at": START,
            **given,
        }
    )
