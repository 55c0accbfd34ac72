"""A yes as an ISO/IEC TS 27560:2023 receipt, in JSON-LD with the W3C Data Privacy Vocabulary.

The fields and the terms that stand for them are those of the DPV community group's guide
(https://w3id.org/dpv/guides/consent-27560, report of 2024-08-01). Nothing in it has to be fetched to
be read: the short names are spelled out in the document itself.
"""

import json
from datetime import datetime
from hashlib import sha256

from audit import queries as log
from audit.rules import spelled_time
from audit.tlog.notes import Note
from common.days import day_of
from consent.queries.receipts import Happened, Receipt
from consent.vocabulary import HAPPENING_DPV
from governance.models import Organisation
from release.rules import timing

SIGNED_AS = "receipt"
PROFILE = "https://w3id.org/dpv/schema/dpv-27560"
CONTEXT = {
    "dpv": "https://w3id.org/dpv#",
    "loc": "https://w3id.org/dpv/loc#",
    "dct": "http://purl.org/dc/terms/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
HOLDER, RECIPIENT, PERSON = "_:holder", "_:recipient", "_:person"
WHERE = "loc:US"  # whom this service is for
HOW_TO_STOP = "On her page, or by telling her advocate; both count at once."
Node = dict[str, object]


def document(receipt: Receipt, *, at: datetime) -> bytes:
    """The receipt as UTF-8 JSON-LD."""
    found: Node = {
        "@context": CONTEXT,
        "@type": "dpv:ConsentReceipt",
        "dpv:hasIdentifier": receipt.number,
        "dct:conformsTo": PROFILE,
        "dct:created": _time(at),
        "dpv:hasRecordOfActivity": _record(receipt),
    }
    return (json.dumps(found, indent=1, ensure_ascii=False) + "\n").encode()


def signed(data: bytes) -> str:
    """A C2SP signed note by the log's key over what these bytes come to.

    Raises NotReady where that key is not there.
    """
    signer = log.own_signer(SIGNED_AS)
    return signer.sign(Note(f"{signer.name}\n{sha256(data).hexdigest()}\n")).render()


def delete_by(receipt: Receipt) -> datetime:
    """By when they must have deleted it: counted from its day, or from an end before that."""
    consent = receipt.sharing.consent
    ended = min(consent.ends, consent.ended_at or consent.ends)
    return timing.delete_by(ended, receipt.sharing.kept_until)


def _record(receipt: Receipt) -> Node:
    sharing, consent = receipt.sharing, receipt.sharing.consent
    return {
        "@type": "dpv:ConsentRecord",
        "dct:identifier": consent.ref,
        "dct:conformsTo": f"{PROFILE}#record",
        "dpv:hasDataSubject": {
            "@id": PERSON,
            "@type": "dpv:DataSubject",
            "dct:identifier": f"{sharing.holder.ref}/{consent.subject_id}",
        },
        "dpv:hasDataController": _party(sharing.holder, HOLDER, "dpv:DataController"),
        "dpv:hasJurisdiction": WHERE,
        "dpv:hasLegalBasis": "dpv:ExplicitlyExpressedConsent",
        "dpv:hasProcess": {
            "@type": "dpv:Process",
            "dpv:hasPurpose": {
                "@type": "dpv:Purpose",
                "skos:broader": f"dpv:{sharing.purpose.dpv}",
                "dct:identifier": sharing.purpose.code,
                "dct:title": _said(sharing.purpose.label_en, sharing.purpose.label_es),
            },
            "dpv:hasPersonalData": [
                {
                    "@type": "dpv:SensitivePersonalData",
                    "dct:identifier": receipt.versions[each.code],
                    "dct:title": _said(each.label_en, each.label_es),
                    "dct:temporal": f"../{consent.record_until.isoformat()}",
                }
                for each in sharing.categories
            ],
            "dpv:hasDataSource": {"@id": HOLDER},
            "dpv:hasRecipient": _party(sharing.recipient, RECIPIENT, "dpv:Recipient"),
            "dpv:hasStorageCondition": [
                {"@type": "dpv:StorageLocation", "dpv:hasLocation": WHERE},
                {
                    "@type": "dpv:StorageDeletion",
                    "dpv:hasDuration": {
                        "@type": "dpv:UntilTimeDuration",
                        "rdf:value": day_of(delete_by(receipt)).isoformat(),
                    },
                },
            ],
        },
        "dpv:hasNotice": {
            "@type": "dpv:ConsentNotice",
            "dct:identifier": f"{consent.terms} sha256:{consent.terms.digest}",
            "dct:title": consent.terms.title,
            "dct:language": consent.terms.language,
        },
        "dpv:hasConsentControl": {
            "@type": "dpv:WithdrawConsent",
            "dct:description": {"@value": HOW_TO_STOP, "@language": "en"},
        },
        "dpv:hasConsentStatus": [_status(receipt, each) for each in receipt.happened],
    }


def _party(organisation: Organisation, name: str, role: str) -> Node:
    """Reached through whoever helps her: the catalogue keeps no addresses."""
    return {
        "@id": name,
        "@type": role,
        "dct:identifier": organisation.ref,
        "dpv:hasName": organisation.name,
        "dpv:hasContact": {"@value": "Through her advocate.", "@language": "en"},
    }


def _status(receipt: Receipt, happened: Happened) -> Node:
    consent = receipt.sharing.consent
    return {
        "@type": f"dpv:{HAPPENING_DPV[happened.happening]}",
        "dct:identifier": happened.happening.value,
        "dpv:isIndicatedBy": {"@id": PERSON if happened.hers else HOLDER},
        "dpv:hasIndicationMethod": consent.channel if not happened.hers else "portal",
        "dpv:isIndicatedAtTime": _time(happened.at),
        "dct:valid": f"{spelled_time(consent.starts)}/{spelled_time(consent.ends)}",
    }


def _said(english: str, spanish: str) -> list[Node]:
    return [
        {"@value": english, "@language": "en"},
        {"@value": spanish, "@language": "es"},
    ]


def _time(at: datetime) -> Node:
    return {"@type": "xsd:dateTime", "@value": spelled_time(at)}
