"""For each named constraint on our models, one row that breaks it and is refused by the database."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import CharField, CheckConstraint, Model, UniqueConstraint

from tests.architecture.test_fields import our_models
from tests.factories import (
    audit,
    consent,
    contests,
    governance,
    machines,
    oversight,
    questions,
    release,
    sittings,
    speaking,
)
from tests.factories.governance import LATER, START

EARLIER = START - timedelta(days=1)
LATEST = LATER + timedelta(days=1)
UNHEARD = "unheard_of"
Given = dict[str, Any]


@dataclass(frozen=True)
class Broken:
    """How to break one check: the row's maker, what is wrong with it, and any other check that
    cannot but fail with it (the database names one of the two)."""

    make: Callable[..., Model]
    given: Given | Callable[[], Given]
    also: str = ""
    afterwards: bool = False  # the row comes in whole and is changed then

    def overrides(self) -> Given:
        return self.given() if callable(self.given) else self.given


def erased(**given: Any) -> Given:
    """What a row of a question says when it is erased."""
    gone = {"consent": None, "words": b"", "reply": "", "reply_words": b""}
    return {**gone, "erased_at": LATEST, "erased_entry": audit.entry(), **given}


def erased_too_soon() -> Given:
    return erased(erased_at=EARLIER)


def erased_by_no_entry() -> Given:
    return erased(erased_entry=None)


def erased_with_words() -> Given:
    return erased(words=bytes(40))


def one_organisation_as(*roles: str) -> Callable[[], Given]:
    def given() -> Given:
        both = governance.organisation()
        return dict.fromkeys(roles, both)

    return given


def one_person_as(*parts: str) -> Callable[[], Given]:
    def given() -> Given:
        return dict.fromkeys(parts, governance.user())

    return given


def accepted() -> Given:
    return {"accepted_at": LATER, "accepted_by": governance.user(), "withdrawn_at": LATER}


def holder_as_recipient() -> Given:
    person = consent.subject()
    return {"subject": person, "recipient": person.holder}


def earlier_entry() -> Given:
    first = audit.entry()
    return {"entry": audit.entry(), "tagged": first}


def called_off_by_somebody() -> Given:
    return {"called_off_by": governance.user()}


def unheard_check() -> Given:
    return {"checked": UNHEARD, "checked_at": LATER, "checked_by": governance.user()}


CHECKS: dict[str, Broken] = {
    "agreement_between_two": Broken(
        governance.agreement, one_organisation_as("holder", "recipient")
    ),
    "agreement_starts_before_end": Broken(governance.agreement, {"ends": EARLIER}),
    "agreement_state_known": Broken(governance.agreement, {"state": UNHEARD}),
    "api_token_digest_is_sha256": Broken(governance.api_token, {"digest": "clear text"}),
    "api_token_starts_before_end": Broken(governance.api_token, {"expires_at": EARLIER}),
    "terms_part_known": Broken(consent.terms_part, {"part": UNHEARD}),
    "terms_part_says_something": Broken(consent.terms_part, {"text": ""}),
    "ballot_has_reason": Broken(governance.ballot, {"reason": ""}),
    "ballot_vote_known": Broken(governance.ballot, {"vote": "perhaps"}),
    "category_version_from_one": Broken(governance.category_version, {"number": 0}),
    "lifting_done_or_cancelled": Broken(consent.lifting, {"done_at": LATER, "cancelled_at": LATER}),
    "lifting_kind_known": Broken(consent.lifting, {"recipient_kind": UNHEARD}),
    "invalidation_reason_known": Broken(consent.invalidation, {"reason": UNHEARD}),
    "proposal_asked_before_its_end": Broken(consent.proposal, {"answer_by": START}),
    "proposal_channel_known": Broken(consent.proposal, {"channel": UNHEARD}),
    "proposal_given_is_a_consent": Broken(
        consent.signed_proposal, {"state": "given", "closed_at": LATER}
    ),
    "proposal_is_signed": Broken(consent.signed_proposal, {"signature": ""}),
    "proposal_lasts_a_day": Broken(consent.proposal, {"days": 0}),
    "proposal_settled_at_a_time": Broken(consent.proposal, {"state": "refused"}),
    "proposal_signed_whole": Broken(consent.signed_proposal, {"record_until": None}),
    "proposal_state_known": Broken(consent.proposal, {"state": UNHEARD, "closed_at": LATER}),
    "proposal_turn_known": Broken(consent.proposal_step, {"turn": UNHEARD}),
    "proposal_unanswered_is_unsigned": Broken(consent.signed_proposal, {"state": "open"}),
    "proposal_waiting_is_signed": Broken(consent.proposal, {"state": "waiting"}),
    "charter_answer_days": Broken(governance.charter, {"answer_days": 0}),
    "charter_has_survivor_seats": Broken(governance.charter, {"survivor_minimum": 0}),
    "charter_quorum_at_least_one": Broken(governance.charter, {"quorum": 0}),
    "charter_threshold_is_majority": Broken(governance.charter, {"threshold_percent": 50}),
    "checkpoint_has_a_note": Broken(audit.checkpoint, {"note": ""}),
    "checkpoint_root_32_bytes": Broken(audit.checkpoint, {"root": bytes(31)}),
    "checkpoint_size_from_one": Broken(audit.checkpoint, {"size": 0}),
    "classification_sensitivity": Broken(
        governance.field_classification, {"field_sensitivity": UNHEARD}
    ),
    "client_scope_known": Broken(machines.client_scope, {"scope": UNHEARD}),
    "client_secret_is_sha256": Broken(machines.client_secret, {"digest": "clear text"}),
    "client_secret_starts_before_end": Broken(machines.client_secret, {"expires_at": EARLIER}),
    "consent_channel_known": Broken(consent.consent, {"channel": UNHEARD}),
    "consent_end_has_a_how": Broken(consent.consent, {"ended_at": LATER}),
    "consent_ending_known": Broken(consent.consent, {"ended_at": LATER, "ending": UNHEARD}),
    "consent_event_known": Broken(consent.consent_event, {"happening": UNHEARD}),
    "consent_expired_past_its_end": Broken(consent.consent, {"expired_at": START}),
    "consent_holder_is_not_recipient": Broken(consent.consent, holder_as_recipient),
    "consent_is_signed": Broken(consent.consent, {"signature": ""}),
    "consent_pause_has_a_start": Broken(consent.consent, {"paused_until": LATER}),
    "consent_seven_answers_yes": Broken(consent.consent, {"answers": "yyyyyyn"}),
    "consent_signer_authority": Broken(consent.consent, {"signer": "guardian"}),
    "consent_signer_known": Broken(consent.consent, {"signer": UNHEARD, "authority": "a paper"}),
    "consent_starts_before_end": Broken(consent.consent, {"ends": EARLIER}),
    "category_care_known": Broken(governance.category, {"care": UNHEARD}),
    "dataset_state_known": Broken(governance.dataset, {"state": UNHEARD}),
    "dataset_version_counts": Broken(release.dataset_version, {"rows": -1}),
    "decision_is_yes_or_no": Broken(governance.decision, {"outcome": "submitted"}),
    "download_part_has_number": Broken(release.download, {"part": "part"}),
    "download_part_known": Broken(release.download, {"part": UNHEARD}),
    "cosignature_at_most_4096_bytes": Broken(audit.cosignature, {"signature": bytes(4097)}),
    "cosignature_has_a_name": Broken(audit.cosignature, {"name": ""}),
    "cosignature_key_id_4_bytes": Broken(audit.cosignature, {"key_id": bytes(5)}),
    "cosignature_size_from_one": Broken(audit.cosignature, {"size": 0}),
    "witness_fault_answer_at_most_4096_bytes": Broken(audit.witness_fault, {"answer": bytes(4097)}),
    "witness_fault_has_a_name": Broken(audit.witness_fault, {"name": ""}),
    "witness_fault_kind_is_a_word": Broken(audit.witness_fault, {"kind": "unheard"}),
    "witness_fault_size_not_negative": Broken(audit.witness_fault, {"size": -1}),
    "witness_state_has_a_name": Broken(audit.witness_state, {"name": ""}),
    "witness_state_size_not_negative": Broken(audit.witness_state, {"size": -1}),
    "witness_state_trouble_is_a_word": Broken(audit.witness_state, {"trouble": "unheard"}),
    "detail_at_most_8192_bytes": Broken(audit.detail, {"sealed": bytes(8193)}),
    "assignment_starts_before_end": Broken(consent.assignment, {"ended_at": EARLIER}),
    "block_starts_before_end": Broken(consent.block, {"lifted_at": EARLIER}),
    "spoken_stop_checked_known": Broken(consent.spoken_stop, unheard_check),
    "spoken_stop_checked_whole": Broken(consent.spoken_stop, {"checked": "hers"}),
    "spoken_stop_said_before_checked": Broken(
        consent.spoken_stop, {"checked_at": EARLIER}, also="spoken_stop_checked_whole"
    ),
    "enrolment_code_after_the_talk": Broken(consent.enrolment_code, {"talked_at": LATER}),
    "enrolment_code_digest_is_sha256": Broken(consent.enrolment_code, {"digest": "clear text"}),
    "enrolment_code_kind_known": Broken(consent.enrolment_code, {"kind": UNHEARD}),
    "enrolment_code_opens_after_issue": Broken(consent.enrolment_code, {"opens_at": EARLIER}),
    "enrolment_code_opens_before_end": Broken(consent.enrolment_code, {"expires_at": START}),
    "enrolment_code_used_or_cancelled": Broken(
        consent.enrolment_code, {"used_at": LATER, "cancelled_at": LATER}
    ),
    "paper_code_digest_is_sha256": Broken(sittings.paper_code, {"digest": "clear text"}),
    "paper_code_made_before_used": Broken(sittings.paper_code, {"used_at": EARLIER}),
    "paper_code_use_known": Broken(sittings.paper_code, {"use": UNHEARD}),
    "sitting_device_known": Broken(sittings.sitting, {"device": UNHEARD}),
    "sitting_seen_after_it_began": Broken(sittings.sitting, {"seen_at": EARLIER}),
    "contest_asked_before_decided": Broken(contests.decided, {"decided_at": EARLIER}),
    "contest_decided_whole": Broken(contests.decided, {"decided_by": None}),
    "contest_decision_fits": Broken(contests.decided, {"decision": "kept"}),
    "contest_decision_known": Broken(
        contests.decided, {"decision": UNHEARD}, also="contest_decision_fits"
    ),
    "contest_kind_known": Broken(contests.contest, {"kind": UNHEARD}),
    "question_answered_before_erased": Broken(questions.answered, erased_too_soon),
    "question_answered_whole": Broken(questions.answered, {"answered_by": None}),
    "question_asked_before_answered": Broken(questions.answered, {"answered_at": EARLIER}),
    "question_erased_keeps_nothing": Broken(questions.answered, erased_with_words),
    "question_erased_whole": Broken(questions.answered, erased_by_no_entry),
    "question_reply_known": Broken(
        questions.answered, {"reply": UNHEARD}, also="question_reply_when_answered"
    ),
    "question_reply_when_answered": Broken(questions.question, {"reply": "unknown"}),
    "link_from_another_sign_in": Broken(questions.link, one_person_as("account", "former")),
    "link_starts_before_end": Broken(questions.link, {"split_at": EARLIER}),
    "question_topic_known": Broken(questions.question, {"topic": UNHEARD}),
    "question_written_has_words": Broken(questions.answered, {"reply_words": b""}),
    "death_agreed_by_somebody": Broken(speaking.death, {"agreed_at": LATER}),
    "death_by_two": Broken(speaking.agreed_death, one_person_as("reported_by", "agreed_by")),
    "death_by_two_or_a_paper": Broken(speaking.death, {"counts_at": LATER}),
    "death_taken_back_by_somebody": Broken(speaking.death, {"taken_back_at": LATER}),
    "dispute_resolved_by_somebody": Broken(speaking.dispute, {"resolved_at": LATER}),
    "flag_threat_known": Broken(speaking.flag, {"threat": UNHEARD}),
    "flag_who_is_a_digest": Broken(speaking.flag, {"who": "a name"}),
    "minority_ended_by_somebody": Broken(speaking.minority, {"ended_at": LATER}),
    "speaker_ended_by_somebody": Broken(speaking.representative, {"ended_at": LATER}),
    "speaker_guardian_by_order": Broken(speaking.representative, {"kind": "guardian"}),
    "speaker_kind_known": Broken(speaking.representative, {"kind": UNHEARD}),
    "speaker_paper_known": Broken(speaking.representative, {"paper": UNHEARD}),
    "speaker_starts_before_end": Broken(speaking.representative, {"ends": EARLIER}),
    "speaker_who_is_a_digest": Broken(speaking.representative, {"who": "a name"}),
    "spoken_assent_known": Broken(speaking.spoken, {"assent": UNHEARD}),
    "hold_ground_known": Broken(consent.legal_hold, {"ground": UNHEARD}),
    "hold_lifted_by_somebody": Broken(consent.legal_hold, {"lifted_at": LATER}),
    "hold_placed_before_end": Broken(consent.legal_hold, {"ends": EARLIER}),
    "shredding_agreed_by_somebody": Broken(consent.shredding, {"agreed_at": LATER}),
    "shredding_by_two": Broken(consent.agreed_shredding, one_person_as("asked_by", "agreed_by")),
    "shredding_called_off_at_a_time": Broken(consent.shredding, called_off_by_somebody),
    "shredding_cleaned_after": Broken(consent.agreed_shredding, {"cleaned_at": LATER}),
    "shredding_done_was_agreed": Broken(consent.shredding, {"shredded_at": LATER}),
    "subject_shredded_keeps_nothing": Broken(consent.subject, {"shredded_at": LATER}),
    "entry_decision_is_a_word": Broken(audit.entry, {"decision": "unheard"}),
    "entry_epoch_everyone_in_range": Broken(audit.entry, {"epoch_everyone": -1}),
    "entry_epoch_scope_in_range": Broken(audit.entry, {"epoch_scope": 2**53}),
    "entry_has_an_actor": Broken(audit.entry, {"actor": ""}),
    "entry_leaf_at_most_4096_bytes": Broken(audit.entry, {"leaf": bytes(4097)}),
    "entry_leaf_hash_32_bytes": Broken(audit.entry, {"leaf_hash": bytes(33)}),
    "entry_nonce_16_bytes": Broken(audit.entry, {"nonce": bytes(15)}),
    "entry_seq_not_negative": Broken(audit.entry, {"seq": -1}, afterwards=True),
    "entry_subjects_root_32_bytes": Broken(audit.entry, {"subjects_root": bytes(31)}),
    "entry_type_is_a_word": Broken(audit.entry, {"type": UNHEARD}),
    "entry_version_from_one": Broken(audit.entry, {"version": 0}),
    "entry_via_is_a_word": Broken(audit.entry, {"via": "window"}),
    "field_name_plain": Broken(governance.data_field, {"name": "1st column"}),
    "field_sensitivity_known": Broken(governance.data_field, {"field_sensitivity": UNHEARD}),
    "field_type_known": Broken(governance.data_field, {"type": UNHEARD}),
    "invitation_accepted_by_somebody": Broken(governance.invitation, {"accepted_at": LATER}),
    "invitation_accepted_or_withdrawn": Broken(governance.invitation, accepted),
    "invitation_digest_is_sha256": Broken(governance.invitation, {"digest": "clear text"}),
    "invitation_starts_before_end": Broken(governance.invitation, {"expires_at": EARLIER}),
    "invited_role_known": Broken(governance.invited_role, {"role": UNHEARD}),
    "journal_action_is_a_word": Broken(audit.journal_row, {"action": 4}),
    "journal_digest_salt_16_bytes": Broken(audit.journal_digest, {"salt": bytes(15)}),
    "kept_answer_fingerprint_is_sha256": Broken(machines.kept_answer, {"fingerprint": "x"}),
    "machine_client_starts_before_end": Broken(machines.machine_client, {"ended_at": EARLIER}),
    "membership_role_known": Broken(governance.membership, {"role": UNHEARD}),
    "membership_starts_before_end": Broken(governance.membership, {"ended_at": EARLIER}),
    "node_hash_32_bytes": Broken(audit.node, {"hash": bytes(31)}),
    "node_index_not_negative": Broken(audit.node, {"index": -1}),
    "node_level_above_the_leaves": Broken(audit.node, {"level": 0}),
    "late_tag_in_a_later_entry": Broken(consent.late_tag, earlier_entry),
    "objection_kind_known": Broken(consent.objection, {"recipient_kind": UNHEARD}),
    "objection_made_before_lifted": Broken(consent.objection, {"lifted_at": EARLIER}),
    "organisation_kind_known": Broken(governance.organisation, {"kind": UNHEARD}),
    "purpose_kind_known": Broken(governance.purpose, {"kind": UNHEARD}),
    "purpose_longest_days_sane": Broken(governance.purpose, {"longest_days": 732}),
    "recipient_key_is_age": Broken(governance.recipient_key, {"public_key": "ssh-ed25519"}),
    "recipient_key_starts_before_end": Broken(governance.recipient_key, {"ended_at": EARLIER}),
    "release_answer_has_an_entry": Broken(release.prepared, {"entry": None}),
    "release_class_known": Broken(release.release, {"release_class": UNHEARD}),
    "release_format_known": Broken(release.release, {"format": "xlsx"}),
    "release_good_after_answer": Broken(release.prepared, {"good_until": EARLIER}),
    "release_prepared_is_whole": Broken(release.prepared, {"key": None}),
    "release_state_known": Broken(
        release.release, {"state": UNHEARD}, also="release_answer_has_an_entry"
    ),
    "release_void_ground_known": Broken(
        release.prepared, {"voided_at": LATER, "void_ground": UNHEARD}
    ),
    "release_void_has_a_ground": Broken(release.prepared, {"voided_at": LATER}),
    "request_format_known": Broken(governance.access_request, {"format": "xlsx"}),
    "request_starts_before_end": Broken(governance.access_request, {"ends": EARLIER}),
    "request_state_known": Broken(
        governance.access_request, {"state": UNHEARD, "submitted_at": START}
    ),
    "request_submitted_has_time": Broken(governance.access_request, {"state": "submitted"}),
    "reset_agreed_with_a_code": Broken(governance.agreed_reset, {"second_digest": None}),
    "reset_by_one_operator_at_most": Broken(
        governance.agreed_reset, {"asked_by": None, "agreed_by": None}
    ),
    "reset_by_two": Broken(governance.agreed_reset, one_person_as("asked_by", "agreed_by")),
    "reset_digests_are_sha256": Broken(governance.account_reset, {"first_digest": "clear text"}),
    "reset_kind_known": Broken(governance.account_reset, {"kind": UNHEARD}),
    "reset_never_by_the_person": Broken(
        governance.account_reset, one_person_as("user", "asked_by")
    ),
    "reset_starts_before_end": Broken(governance.account_reset, {"expires_at": EARLIER}),
    "reset_used_after_agreement": Broken(governance.account_reset, {"used_at": LATER}),
    "scope_everyone_or_one": Broken(governance.scope, {"everyone": False}),
    "recall_due_after_opened": Broken(release.recall, {"due_at": EARLIER}),
    "recall_is_about_somebody": Broken(release.recall, {"people": 0}),
    "recall_report_says_what": Broken(release.recall_step, {"reported": "deleted"}),
    "recall_step_by_whom": Broken(release.recall_step, {"by": None}),
    "recall_step_known": Broken(release.recall_step, {"step": UNHEARD}),
    "inquiry_yes_or_grounds": Broken(release.inquiry, {"grounds": ""}),
    "kept_no_act_known": Broken(governance.kept_no, {"act": UNHEARD}),
    "scope_move_act_known": Broken(governance.scope_move, {"act": UNHEARD}),
    "seat_kind_known": Broken(governance.seat, {"kind": UNHEARD}),
    "seat_starts_before_end": Broken(governance.seat, {"ended_at": EARLIER}),
    "slot_block_not_overfull": Broken(consent.slot_block, {"taken": 8193}),
    "standard_field_sensitivity": Broken(governance.standard_field, {"field_sensitivity": UNHEARD}),
    "case_has_a_reason": Broken(oversight.audit_case, {"reason": ""}),
    "case_has_a_title": Broken(oversight.audit_case, {"title": ""}),
    "case_nonce_16_bytes": Broken(oversight.audit_case, {"nonce": b"short"}),
    "case_opened_before_closed": Broken(oversight.audit_case, {"closed_at": EARLIER}),
    "reading_look_known": Broken(oversight.reading, {"look": UNHEARD}),
    "saved_search_has_a_name": Broken(oversight.saved_search, {"name": ""}),
    "finding_has_a_title": Broken(oversight.finding, {"title": ""}),
    "finding_number_not_negative": Broken(oversight.finding, {"number": -1}),
    "finding_step_has_a_text": Broken(oversight.finding_step, {"text": ""}),
    "finding_step_known": Broken(oversight.finding_step, {"step": UNHEARD}),
    "job_end_has_a_time": Broken(oversight.job, {"state": "done"}),
    "job_export_has_a_reason": Broken(oversight.job, {"kind": "export"}),
    "job_format_known": Broken(oversight.job, {"format": UNHEARD[:8]}),
    "job_kind_known": Broken(oversight.job, {"kind": UNHEARD[:8], "reason": "x", "format": "csv"}),
    "job_state_known": Broken(oversight.job, {"state": UNHEARD[:8], "ended_at": LATER}),
    "review_has_a_reason": Broken(oversight.membership_review, {"reason": ""}),
    "review_verdict_known": Broken(oversight.membership_review, {"verdict": UNHEARD[:8]}),
    "worksheet_check_found_known": Broken(oversight.worksheet_check, {"found": UNHEARD[:8]}),
    "worksheet_has_a_seed": Broken(oversight.worksheet, {"seed": ""}),
    "subject_slot_positive": Broken(consent.subject, {"slot": -1}),
    "terms_digest_is_sha256": Broken(consent.terms, {"digest": "short"}),
    "upload_answer_has_a_time": Broken(release.upload, {"answered_at": LATER}),
    "upload_loaded_is_a_version": Broken(release.upload, {"state": "loaded", "answered_at": LATER}),
    "upload_state_known": Broken(release.upload, {"state": UNHEARD, "answered_at": LATER}),
    "user_kind_known": Broken(governance.user, {"kind": UNHEARD}),
    "user_superuser_is_staff": Broken(governance.user, {"kind": "survivor", "is_superuser": True}),
    "withheld_ground_known": Broken(release.withheld, {"ground": UNHEARD}),
}

# Who makes a row, and what a row needs so that a uniqueness concerns it.
UNIQUES: dict[str, tuple[Callable[..., Model], Given]] = {
    "cosignature_once_a_head": (audit.cosignature, {}),
    "agreement_category_once": (governance.agreement_category, {}),
    "agreement_dataset_once": (governance.agreement_dataset, {}),
    "agreement_purpose_once": (governance.agreement_purpose, {}),
    "agreement_signed_once_each": (governance.agreement_signature, {}),
    "ballot_one_per_seat": (governance.ballot, {}),
    "category_field_once": (governance.category_field, {}),
    "category_set_item_once": (consent.category_set_item, {}),
    "category_version_once": (governance.category_version, {}),
    "charter_number_once": (governance.charter, {}),
    "client_scope_once": (machines.client_scope, {}),
    "consent_one_in_force": (consent.consent, {}),
    "terms_part_once": (consent.terms_part, {}),
    "case_handle_person_once": (oversight.case_handle, {}),
    "case_handle_word_once": (oversight.case_handle, {}),
    "assignment_once_at_a_time": (consent.assignment, {}),
    "block_once_at_a_time": (consent.block, {}),
    "look_once_an_hour": (consent.look, {}),
    "enrolment_code_one_open": (consent.enrolment_code, {}),
    "finding_closed_once": (oversight.finding_step, {"step": "closed"}),
    "finding_opened_once": (oversight.finding_step, {"step": "opened"}),
    "saved_search_name_once": (oversight.saved_search, {}),
    "worksheet_line_number_once": (oversight.worksheet_line, {}),
    "worksheet_line_yes_once": (oversight.worksheet_line, {}),
    "dataset_version_number": (release.dataset_version, {}),
    "field_name_once": (governance.data_field, {}),
    "field_position_once": (governance.data_field, {}),
    "invited_role_once": (governance.invited_role, {}),
    "kept_answer_key_once": (machines.kept_answer, {}),
    "membership_once_at_a_time": (governance.membership, {}),
    "late_tag_once": (consent.late_tag, {}),
    "left_tag_once": (consent.left_tag, {"tag": bytes(32)}),
    "node_stands_once": (audit.node, {}),
    "presence_block_once": (release.presence, {}),
    "recall_step_once": (release.recall_step, {}),
    "recalled_chunk_once": (release.recalled, {}),
    "recipient_key_one_current": (governance.recipient_key, {}),
    "recusal_one_per_seat": (governance.recusal, {}),
    "release_part_number_once": (release.release_part, {}),
    "request_field_once": (governance.request_field, {}),
    "resealing_once_a_key": (release.resealing, {}),
    "reset_one_open": (governance.account_reset, {}),
    "scope_move_once_a_person": (governance.scope_move, {"slot": 7}),
    "scope_move_once_for_all": (governance.scope_move, {"slot": None}),
    "scope_one_for_everyone": (governance.scope, {"everyone": True}),
    "seat_one_per_person": (governance.seat, {}),
    "standard_field_once": (governance.standard_field, {}),
    "lifting_one_open": (consent.lifting, {}),
    "proposal_item_once": (consent.proposal_item, {}),
    "proposal_one_unsettled": (consent.proposal, {}),
    "proposal_renewed_once": (consent.renewal, {}),
    "contest_one_open": (contests.contest, {}),
    "death_one_stands": (speaking.death, {}),
    "link_one_stands": (questions.link, {}),
    "hidden_once": (questions.hidden, {}),
    "question_one_open_of_all": (questions.question, {}),
    "question_one_open_of_one": (questions.of_one, {}),
    "dispute_one_open": (speaking.dispute, {}),
    "flag_once": (speaking.flag, {}),
    "minority_one_stands": (speaking.minority, {}),
    "speaker_once": (speaking.representative, {}),
    "shredding_one_open": (consent.shredding, {}),
    "stored_part_number_once": (release.stored_part, {}),
    "subject_key_once": (consent.subject_key, {}),
    "terms_version_once_a_language": (consent.terms, {}),
    "use_chunk_once": (release.use, {}),
    "version_column_once": (release.version_column, {}),
    "withheld_chunk_once": (release.withheld, {}),
}


def constraints(kind: type) -> dict[str, Any]:
    return {
        constraint.name: constraint
        for model in our_models()
        for constraint in model._meta.constraints
        if isinstance(constraint, kind)
    }


def test_every_named_constraint_has_a_row_that_breaks_it():
    assert set(CHECKS) == set(constraints(CheckConstraint))
    assert set(UNIQUES) == set(constraints(UniqueConstraint))


@pytest.mark.django_db
@pytest.mark.parametrize("name", CHECKS)
def test_the_database_refuses_what_a_check_forbids(name):
    broken = CHECKS[name]
    attempt = partial(broken.make, **broken.overrides())
    if broken.afterwards:
        whole = broken.make()
        row = type(whole)._default_manager.filter(pk=whole.pk)
        attempt = partial(row.update, **broken.overrides())
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        attempt()
    assert any(word and word in str(refused.value) for word in (name, broken.also))


@pytest.mark.django_db
@pytest.mark.parametrize("name", UNIQUES)
def test_the_database_refuses_a_second_row_where_one_may_stand(name):
    make, given = UNIQUES[name]
    constraint = constraints(UniqueConstraint)[name]
    first = make(**given)
    same = {field: getattr(first, field) for field in constraint.fields}
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        make(**{**given, **same})
    said, table = str(refused.value), first._meta.db_table
    if connection.vendor == "postgresql":
        assert f'"{name}"' in said
    elif said.lower() != f"append_only: insert on {table} is refused":
        # (on SQLite an append-only table's trigger sees the second row before the index does)
        columns = [first._meta.get_field(field).column for field in constraint.fields]
        assert said.endswith(": " + ", ".join(f"{table}.{column}" for column in columns))


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model._meta.label)
def test_every_column_of_known_words_is_checked_by_the_database(model):
    checks = " ".join(
        str(constraint.condition)
        for constraint in model._meta.constraints
        if isinstance(constraint, CheckConstraint)
    )
    for field in model._meta.get_fields():
        if isinstance(field, CharField) and field.choices:
            assert f"'{field.name}__in'" in checks, field.name


PERIODS = [("starts", "ends"), ("started_at", "ended_at"), ("registered_at", "ended_at")]


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model._meta.label)
def test_every_period_is_checked_by_the_database(model):
    names = {field.name for field in model._meta.get_fields()}
    checks = " ".join(
        str(constraint.condition)
        for constraint in model._meta.constraints
        if isinstance(constraint, CheckConstraint)
    )
    for first, last in PERIODS:
        if {first, last} <= names:
            assert f"('{first}__lt', F({last}))" in checks
