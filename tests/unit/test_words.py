"""A sentence is English as it stands, and told in the reader's language where a page asks for it."""

from django.utils import translation

from common.errors import BadInput, NotPermitted, RuleBroken
from common.words import joined, told
from common.words import sentence as _
from governance.vocabulary import AgreementState

ENDED = _("This sharing has ended already.")
EN, ES = "This sharing has ended already.", "Esto ya se dejó de compartir."


def test_a_sentence_is_its_english_text_whatever_language_is_spoken():
    for language in ("en", "es"):
        with translation.override(language):
            assert ENDED == EN
            assert f"{ENDED}" == EN
            assert str(RuleBroken("x", ENDED)) == RuleBroken("x", ENDED).message == EN


def test_a_sentence_is_told_in_the_language_that_is_spoken():
    with translation.override("es"):
        assert ENDED.told() == told(ENDED) == RuleBroken("x", ENDED).told == ES
    with translation.override("en"):
        assert told(ENDED) == EN


def test_a_text_of_somebody_elses_is_told_as_it_is():
    with translation.override("es"):
        assert told("Whatever.") == BadInput("x", "Whatever.").told == "Whatever."


def test_what_is_filled_in_is_told_too_and_is_english_beside_it():
    with translation.override("es"):
        made = _(
            "This agreement is %(state)s: this step is not possible.",
            state=AgreementState.IN_FORCE.label,
        )
        assert made == "This agreement is in force: this step is not possible."
        assert made.told() == "El estado de este acuerdo es “vigente”: este paso no es posible."


def test_a_sentence_within_a_sentence_is_told_too():
    made = _("%(what)s: %(fault)s", what=_("Client number"), fault=_("Write something."))
    assert made == "Client number: Write something."
    with translation.override("es"):
        assert made.told() == "Número de cliente: Escriba algo."


def test_several_sentences_are_one_after_another():
    both = joined([ENDED, _("This is not paused."), "Whatever."])
    assert both == f"{EN} This is not paused. Whatever."
    with translation.override("es"):
        assert both.told() == f"{ES} Esto no está en pausa. Whatever."


def test_a_percent_sign_in_a_sentence_without_blanks_is_itself():
    with translation.override("es"):
        assert _("100 % sure").told() == "100 % sure"


def test_a_refusal_of_a_permission_keeps_its_english_too():
    with translation.override("es"):
        assert NotPermitted("x", _("You may not audit this organisation.")).message == (
            "You may not audit this organisation."
        )
