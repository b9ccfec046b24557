"""Reviews of frozen answers: who judges which answer in which role, what they answer themselves, and their verdicts."""

import uuid
from typing import Any

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotation.models import Annotation, ExposureCounters
from annotation.models.own_answers import PREFERENCES as PREFERENCES
from annotation.models.own_answers import ROWS, TAGS, OwnAnswer
from annotation.protocol import VIDEOS
from catalog.models import Pair
from diptych.database.constraints import CompositeForeignKey
from diptych.database.triggers import append_only
from qc.models import due
from qc.models.frames import FrameItem
from qc.models.lots import Lot
from studies.models import Study

RULINGS = ["fine", "corrected", "defect", "guideline_unclear", "disputed"]
KINDS = ["secondary", "spot", "look", "confirm", "adjudicate", "second_blind"]


class Kind(models.TextChoices):
    """The role in which somebody reviews an answer. One person has one of them for an answer."""

    SECONDARY = "secondary", _("secondary review")
    SPOT = "spot", _("spot check")
    LOOK = "look", _("suspicious answers")
    CONFIRM = "confirm", _("confirmation")
    ADJUDICATE = "adjudicate", _("adjudication")
    SECOND_BLIND = "second_blind", _("second blind answer")


class Review(models.Model):
    """One person reviews one frozen answer. `qc/reviewing.py` changes it.

    leased → submitted | skipped | expired | returned. An ended review can be leased again. All answers of one pair that
    a person reviews together have the same `sitting`.
    """

    class State(models.TextChoices):
        LEASED = "leased", _("leased")
        SUBMITTED = "submitted", _("submitted")
        SKIPPED = "skipped", _("skipped")
        EXPIRED = "expired", _("expired")
        RETURNED = "returned", _("given back")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="reviews", db_constraint=False, db_index=False)
    item = models.ForeignKey(
        FrameItem, on_delete=models.PROTECT, related_name="reviews", db_constraint=False, db_index=False
    )
    pair = models.ForeignKey(Pair, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reviews")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    blind = models.BooleanField(help_text="Whether the reviewer answers before they see the answer")
    sitting = models.UUIDField(default=uuid.uuid4, help_text="The same for all answers of a pair reviewed together")
    left = models.CharField(max_length=7, help_text="Which video was shown on the left")
    state = models.CharField(max_length=9, choices=State.choices, default=State.LEASED)
    lease_number = models.PositiveSmallIntegerField(default=1, db_default=1)
    leased_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    shown_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the pair of this lease was put on the reviewer's page; null while it is only loaded in advance",
    )
    revealed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the answer was first shown to the reviewer"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    skip_reason = models.CharField(max_length=20, blank=True, default="", db_default="")
    look_reasons = ArrayField(
        models.CharField(max_length=24),
        default=list,
        db_default=[],
        blank=True,
        help_text="Why the look-here queue chose the answer: codes of rules, or of `qc.due`. Hidden until the verdict",
    )

    class Meta:
        indexes = [
            models.Index(name="review_sitting", fields=["sitting"]),
            models.Index(name="review_of_lot", fields=["lot", "kind", "state"]),
            # Each lease reads what the person has, and ends what has expired.
            models.Index(name="review_leased", fields=["lot", "reviewer"], condition=Q(state="leased")),
            # The pace of a week, and the reviews of one person, without reading the rows of a study.
            models.Index(
                name="review_submitted",
                fields=["study", "kind", "ended_at"],
                include=["reviewer"],
                condition=Q(state="submitted"),
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="review_study_id", fields=["study", "id"]),
            # Annotator, secondary reviewer, spot checker, confirmer and adjudicator are different people. The trigger
            # below keeps the annotator out.
            models.UniqueConstraint(name="review_one_role_a_person", fields=["item", "reviewer"]),
            models.UniqueConstraint(
                name="review_one_person_a_role",
                fields=["item", "kind"],
                condition=Q(kind__in=["secondary", "spot", "look", "second_blind"], state__in=["leased", "submitted"]),
            ),
            # Confirmation and adjudication can be due again after an undo or a reply.
            models.UniqueConstraint(
                name="review_one_lease_a_role", fields=["item", "kind"], condition=Q(state="leased")
            ),
            CompositeForeignKey(
                name="review_item_same_study", fields=["study", "item"], to="qc.FrameItem", to_fields=["study", "id"]
            ),
            CompositeForeignKey(
                name="review_pair_same_study", fields=["study", "pair"], to="catalog.Pair", to_fields=["study", "id"]
            ),
            models.CheckConstraint(name="review_kind_known", condition=Q(kind__in=KINDS)),
            models.CheckConstraint(
                name="review_state_known",
                condition=Q(state="leased", ended_at__isnull=True)
                | Q(state__in=["submitted", "skipped", "expired", "returned"], ended_at__isnull=False),
            ),
            models.CheckConstraint(
                name="review_skipped_with_reason",
                condition=Q(state="skipped") & ~Q(skip_reason="") | ~Q(state="skipped") & Q(skip_reason=""),
            ),
            models.CheckConstraint(name="review_left_known", condition=Q(left__in=list(VIDEOS))),
            models.CheckConstraint(name="review_lease_has_length", condition=Q(expires_at__gt=F("leased_at"))),
        ]
        triggers = [
            due.REVIEWED,
            pgtrigger.Trigger(
                name="review_not_by_annotator",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("reviewer_id"),
                func=(
                    "IF EXISTS (SELECT FROM qc_frameitem item JOIN annotation_assignment assignment"
                    " ON assignment.id = item.assignment_id"
                    " WHERE item.id = NEW.item_id AND assignment.person_id = NEW.reviewer_id) THEN"
                    " RAISE EXCEPTION 'The annotator of an answer cannot review it' USING ERRCODE = 'check_violation';"
                    " END IF; RETURN NEW;"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of item {self.item_id} by {self.reviewer_id} ({self.state})"

    @property
    def showing(self) -> str:
        """Return the name of a showing that the page's report does not name."""
        return f"review {self.lease_number}"


class ReviewAnswer(OwnAnswer):
    """What a reviewer answers themselves on a pair, before they see the answers. One serves all answers of the pair."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    pair = models.ForeignKey(Pair, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            *OwnAnswer.Meta.constraints,
            models.UniqueConstraint(name="review_answer_once", fields=["lot", "pair", "reviewer"]),
            CompositeForeignKey(
                name="review_answer_lot_same_study", fields=["study", "lot"], to="qc.Lot", to_fields=["study", "id"]
            ),
            CompositeForeignKey(
                name="review_answer_pair_same_study",
                fields=["study", "pair"],
                to="catalog.Pair",
                to_fields=["study", "id"],
            ),
        ]
        triggers = append_only("review_answer")

    def __str__(self) -> str:
        return f"of {self.reviewer_id} on pair {self.pair_id}"


class Verdict(models.Model):
    """A reviewer's verdict on one row of one revision of an answer. `qc/verdicts.py` settles it.

    `counts` says whether it counts as a defect of the answer; it is null while the verdict waits for a second person.
    """

    class Ruling(models.TextChoices):
        FINE = "fine", _("fine")
        CORRECTED = "corrected", _("tags corrected")
        DEFECT = "defect", _("defect")
        UNCLEAR = "guideline_unclear", _("guideline unclear")
        DISPUTED = "disputed", _("disputed")

    class Waits(models.TextChoices):
        CONFIRM = "confirm", _("confirmation")
        ADJUDICATE = "adjudicate", _("adjudication")

    class Code(models.TextChoices):
        """Why a row is a defect."""

        AGAINST_GUIDELINE = "against_guideline", _("Goes against the guideline")
        OVERLOOKED = "overlooked", _("Overlooks something that is clearly visible")
        SIDES_MIXED_UP = "sides_mixed_up", _("Left and right were mixed up")
        HARM_MISSED = "harm_missed", _("A harm tag is missing")
        HARM_NOT_THERE = "harm_not_there", _("A harm tag does not apply")
        OTHER = "other", _("Something else (say what in the comment)")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    review = models.ForeignKey(
        Review, on_delete=models.PROTECT, related_name="verdicts", db_constraint=False, db_index=False
    )
    item = models.ForeignKey(FrameItem, on_delete=models.PROTECT, related_name="verdicts", db_constraint=False)
    annotation = models.ForeignKey(
        Annotation, on_delete=models.PROTECT, related_name="+", db_constraint=False, help_text="The judged revision"
    )
    row = models.CharField(max_length=24, help_text="Key of the question, or tags_video_0 or tags_video_1")
    ruling = models.CharField(max_length=17, choices=Ruling.choices)
    code = models.CharField(max_length=20, choices=Code.choices, blank=True, default="", db_default="")
    comment = models.TextField(blank=True, default="", db_default="", help_text="The annotator reads it in My work")
    own: "models.JSONField[Any, Any]" = models.JSONField(
        null=True, blank=True, help_text="The reviewer's own answer on the row: a choice, or a list of tags"
    )
    made_at = models.DateTimeField(db_default=Now())
    waits_for = models.CharField(max_length=10, choices=Waits.choices, blank=True, default="", db_default="")
    counts = models.BooleanField(null=True, help_text="Whether it counts as a defect; null while it waits for somebody")
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True, help_text="When the reviewer undid the review")

    class Meta:
        indexes = [
            models.Index(name="verdict_waiting", fields=["study", "waits_for"], condition=~Q(waits_for="")),
            models.Index(
                name="verdict_counts",
                fields=["study", "confirmed_at"],
                include=["item", "row", "code"],
                condition=Q(counts=True, withdrawn_at__isnull=True),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                name="verdict_once_a_row",
                fields=["review", "annotation", "row"],
                condition=Q(withdrawn_at__isnull=True),
            ),
            CompositeForeignKey(
                name="verdict_review_same_study", fields=["study", "review"], to="qc.Review", to_fields=["study", "id"]
            ),
            CompositeForeignKey(
                name="verdict_item_same_study", fields=["study", "item"], to="qc.FrameItem", to_fields=["study", "id"]
            ),
            CompositeForeignKey(
                name="verdict_annotation_same_study",
                fields=["study", "annotation"],
                to="annotation.Annotation",
                to_fields=["study", "id"],
            ),
            models.CheckConstraint(name="verdict_words_known", condition=Q(row__in=list(ROWS), ruling__in=RULINGS)),
            models.CheckConstraint(
                name="verdict_defect_has_reason_and_own_answer",
                condition=~Q(ruling__in=["defect", "corrected"]) & Q(code="")
                | Q(ruling="defect", own__isnull=False) & ~Q(code="")
                | Q(ruling="corrected", own__isnull=False),
            ),
            models.CheckConstraint(
                name="verdict_only_tags_corrected", condition=~Q(ruling="corrected") | Q(row__in=list(TAGS))
            ),
            models.CheckConstraint(
                name="verdict_waits_or_is_settled",
                condition=Q(waits_for="", counts__isnull=False)
                | Q(waits_for__in=["confirm", "adjudicate"], counts__isnull=True),
            ),
            # A verdict counts as a defect only after a second person has said so.
            models.CheckConstraint(
                name="verdict_counts_once_confirmed",
                condition=~Q(counts=True) | Q(confirmed_by__isnull=False, confirmed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ruling} on {self.row} of annotation {self.annotation_id}"


class SecondOpinion(models.Model):
    """What a confirmer or an adjudicator said about somebody's verdict. Append-only."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    verdict = models.ForeignKey(Verdict, on_delete=models.PROTECT, related_name="opinions")
    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="opinions")
    counts = models.BooleanField(null=True, help_text="Whether it is a defect; null: disputed")
    comment = models.TextField(blank=True, default="", db_default="")
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(name="second_opinion_once", fields=["verdict", "review"])]
        triggers = append_only("second_opinion")

    def __str__(self) -> str:
        return f"{self.counts} on verdict {self.verdict_id}"


class Reply(models.Model):
    """The annotator's one reply to the review of their answer. The adjudicator closes it."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    item = models.OneToOneField(FrameItem, on_delete=models.PROTECT, primary_key=True, related_name="reply")
    text = models.TextField()
    written_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    closing = models.TextField(blank=True, default="", db_default="", help_text="What the adjudicator responds")

    class Meta:
        verbose_name_plural = "replies"
        constraints = [
            models.CheckConstraint(name="reply_has_text", condition=~Q(text="")),
            models.CheckConstraint(
                name="reply_closed_whole",
                condition=Q(closed_at__isnull=True, closed_by__isnull=True, closing="")
                | Q(closed_at__isnull=False, closed_by__isnull=False) & ~Q(closing=""),
            ),
        ]

    def __str__(self) -> str:
        return f"to the review of item {self.item_id}"


class ReviewExposure(ExposureCounters):
    """A reviewer's exposure to one pair on one day. It counts towards the same daily limit as that of annotators."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="review_exposures")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="review_exposures")
    sitting = models.UUIDField(help_text="The sitting in which the pair was shown")

    class Meta:
        indexes = [models.Index(name="review_exposure_by_day", fields=["study", "day"])]
        constraints = [
            models.UniqueConstraint(name="review_exposure_once_a_day", fields=["sitting", "day"]),
            models.CheckConstraint(
                name="review_exposure_not_negative", condition=Q(revealed_s__gte=0, expected_s__gte=0, lapses_s__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} in sitting {self.sitting} on {self.day}"
