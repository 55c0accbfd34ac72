"""What a person asks about what is kept and shared of her, and what she is answered."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids
from common.constraints import one_of, ordered, together
from common.sensitivity import Sensitivity
from consent.models.consents import Consent
from consent.models.people import Subject
from consent.vocabulary import Reply, Topic
from governance.models import User

SEALED = 4 * 280 + 12 + 16
"""The most bytes that words take when they are sealed: four a sign, and what sealing adds."""


class Question(models.Model):
    """One person asks the organisation that keeps her record something, and is answered once.

    What it was about, what she wrote and what she was answered go 30 days after the answer.
    """

    ref = models.CharField(max_length=32, unique=True, default=ids.question_reference)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="questions")
    # About one sharing of hers; none: about all of it, or erased.
    consent = models.ForeignKey(Consent, on_delete=models.PROTECT, null=True, related_name="+")
    topic = models.CharField(max_length=16, choices=Topic.choices)
    # Under a key made from hers, bound to the entry; empty where she wrote nothing, or erased.
    words = models.BinaryField(max_length=SEALED, blank=True, default=b"")
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    reply = models.CharField(max_length=16, choices=Reply.choices, blank=True, default="")
    reply_words = models.BinaryField(max_length=SEALED, blank=True, default=b"")
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)
    answered_entry = models.ForeignKey(
        "audit.Entry", on_delete=models.PROTECT, null=True, related_name="+"
    )
    erased_at = models.DateTimeField(null=True)
    erased_entry = models.ForeignKey(
        "audit.Entry", on_delete=models.PROTECT, null=True, related_name="+"
    )

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        **dict.fromkeys(["ref", "subject"], Sensitivity.PSEUDONYM),
        **dict.fromkeys(["words", "reply_words"], Sensitivity.SECRET),
        **dict.fromkeys(
            [
                *("consent", "topic", "entry", "asked_at", "reply", "answered_by", "answered_at"),
                *("answered_entry", "erased_at", "erased_entry"),
            ],
            Sensitivity.PERSONAL,
        ),
    }

    class Meta:
        constraints = [
            one_of("topic", Topic, name="question_topic_known"),
            models.CheckConstraint(
                condition=Q(reply="") | Q(reply__in=Reply.values), name="question_reply_known"
            ),
            together(
                "answered_at", "answered_by", "answered_entry", name="question_answered_whole"
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, reply="", reply_words=b"")
                | Q(answered_at__isnull=False, erased_at__isnull=True, reply__in=Reply.values)
                | Q(answered_at__isnull=False, erased_at__isnull=False, reply=""),
                name="question_reply_when_answered",
            ),
            models.CheckConstraint(
                condition=~Q(reply=Reply.WRITTEN) | ~Q(reply_words=b""),
                name="question_written_has_words",
            ),
            together("erased_at", "erased_entry", name="question_erased_whole"),
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True)
                | Q(
                    answered_at__isnull=False,
                    consent__isnull=True,
                    words=b"",
                    reply="",
                    reply_words=b"",
                ),
                name="question_erased_keeps_nothing",
            ),
            ordered("asked_at", "answered_at", name="question_asked_before_answered"),
            ordered("answered_at", "erased_at", name="question_answered_before_erased"),
            models.UniqueConstraint(
                fields=["subject", "topic"],
                condition=Q(answered_at__isnull=True, consent__isnull=True),
                name="question_one_open_of_all",
            ),
            models.UniqueConstraint(
                fields=["consent", "topic"],
                condition=Q(answered_at__isnull=True, consent__isnull=False),
                name="question_one_open_of_one",
            ),
        ]
        indexes = [
            # What waits for its day of erasing: asked for at every tick of the clock.
            models.Index(
                fields=["answered_at"],
                condition=Q(answered_at__isnull=False, erased_at__isnull=True),
                name="question_to_erase",
            )
        ]

    def __str__(self) -> str:
        return self.ref
