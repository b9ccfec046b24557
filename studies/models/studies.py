"""Studies with all their settings."""

import secrets
from typing import TYPE_CHECKING, TypedDict

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from studies.harms import HARM_KEYS
from studies.models.memberships import Membership

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class HasRoles(TypedDict):
    """The attributes that `StudyQuerySet.of` adds to a study."""

    roles: list[str]


class StudyQuerySet(models.QuerySet["Study"]):
    def of(self, person_id: int) -> "models.QuerySet[WithAnnotations[Study, HasRoles]]":
        """Return the studies in which the person has a role, with their roles as `.roles`."""
        held = Membership.objects.filter(study=models.OuterRef("pk"), person_id=person_id).values("role")
        return self.annotate(roles=ArraySubquery(held)).exclude(roles=[])  # type: ignore[return-value]


#: Controls are never more than this share of a person's pairs.
MOST_CONTROLS = 0.05


#: The most answers that a study may ask for on a pair in addition to the plan.
MOST_MORE_ANSWERS = 10


def new_pseudonym_key() -> str:
    """Return 64 random hexadecimal characters."""
    return secrets.token_hex(32)


class Study(models.Model):
    """A study: one collection of answers, with all its settings."""

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        CLOSED = "closed", _("closed")

    class DimensionOrder(models.TextChoices):
        COUNTERBALANCED = "counterbalanced", _("counterbalanced in blocks of 20 pairs per person")
        HELPFULNESS_FIRST = "helpfulness_first", _("helpfulness first")
        HARMLESSNESS_FIRST = "harmlessness_first", _("harmlessness first")

    class TagFormat(models.TextChoices):
        CHECK_ALL = "check_all", _("check all that apply")
        YES_NO = "yes_no", _("yes or no for each tag")

    class MediaFilter(models.TextChoices):
        NONE = "none", _("as they are")
        BLUR = "blur", _("blurred until revealed")
        GREYSCALE = "greyscale", _("in greyscale until revealed")

    slug = models.CharField(
        max_length=60,
        unique=True,
        error_messages={"unique": _("Another study has this address. Choose another one.")},
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9-]*$", _("Use lower-case letters, digits and hyphens."))],
    )
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    created_at = models.DateTimeField(db_default=Now())
    archived_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the study was archived. If null, lists show it.")
    )
    is_simulated = models.BooleanField(
        default=False, help_text=_("A program gave the answers. All pages, releases and model cards say so.")
    )

    # Protocol.
    allow_ties = models.BooleanField(default=False, help_text=_("Offer “tie” beside left and right."))
    dimension_order = models.CharField(
        max_length=20, choices=DimensionOrder.choices, default=DimensionOrder.COUNTERBALANCED
    )
    tag_format = models.CharField(max_length=9, choices=TagFormat.choices, default=TagFormat.CHECK_ALL)
    second_look = models.BooleanField(
        default=False,
        help_text=_("Ask once to check a contradictory answer, and some others, before they are final."),
    )
    require_seen_through = models.BooleanField(
        default=True, help_text=_("Accept an answer only after both videos were watched to the end.")
    )
    comments = models.BooleanField(default=False, help_text=_("Offer a comment field with every pair."))
    reminders = models.BooleanField(
        default=False,
        help_text=_("Show a reminder to take time after many answers that were very fast or all on one side."),
    )
    show_video_text = models.BooleanField(
        default=False, help_text=_("Show the text that each generator was given, if it differs from the prompt.")
    )
    reopen_s = models.PositiveIntegerField(
        default=24 * 3600,
        help_text=_("Seconds for which annotators can change an answer after submitting it. 0: never."),
    )
    share_feedback = models.BooleanField(default=False, help_text=_("Show annotators the review of their answers."))
    protocol_version = models.PositiveIntegerField(default=1)
    guideline_version = models.PositiveIntegerField(default=1)
    seed = models.BigIntegerField(default=0, help_text=_("Random seed of every draw of this study."))

    # Serving.
    overlap = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("Number of answers wanted for each new pair."),
    )
    sample_share = models.FloatField(
        default=0.1,
        db_default=0.0,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text=_(
            "Share of new pairs, drawn at random, that more people answer. Agreement is measured on these pairs."
        ),
    )
    sample_overlap = models.PositiveSmallIntegerField(
        default=3,
        db_default=3,
        validators=[MinValueValidator(2), MaxValueValidator(100)],
        help_text=_("Number of answers wanted for each pair of the random sample."),
    )
    test_share = models.FloatField(
        default=0.1,
        db_default=0.1,
        validators=[MinValueValidator(0.0), MaxValueValidator(0.5)],
        help_text=_("Share of new prompts reserved for testing models. Near-duplicates stay together."),
    )
    lease_s = models.PositiveIntegerField(
        default=30 * 60, help_text=_("Seconds for which the current pair is reserved for a person.")
    )
    next_lease_s = models.PositiveIntegerField(
        default=10 * 60, help_text=_("Seconds for which the next pair, loaded in advance, is reserved for a person.")
    )
    media_window_s = models.PositiveIntegerField(
        default=3600, help_text=_("Seconds. The address of a video is valid for one to two times this long.")
    )

    control_rate = models.FloatField(
        default=0.0,
        validators=[MinValueValidator(0.0), MaxValueValidator(MOST_CONTROLS)],
        help_text=_("Largest share of controls among a person's pairs, if the study has any."),
    )
    hold_after_skips = models.PositiveSmallIntegerField(
        default=3,
        validators=[MinValueValidator(1)],
        help_text=_(
            "Number of skips as “technical problem” or “cannot judge” after which a pair is held. A "
            "researcher must then check it."
        ),
    )
    qualification_required = models.BooleanField(
        default=False, help_text=_("Assign pairs only to people who have qualified.")
    )
    qualification_pass_share = models.FloatField(
        default=0.8,
        db_default=0.8,
        validators=[MinValueValidator(0.5), MaxValueValidator(1.0)],
        help_text=_("Share of a test’s judged answers that have to be as expected."),
    )
    qualification_attempts = models.PositiveSmallIntegerField(
        default=2,
        db_default=2,
        validators=[MinValueValidator(1), MaxValueValidator(20)],
        help_text=_("Number of attempts that a person has at one version of the test."),
    )
    qualification_wait_s = models.PositiveIntegerField(
        default=24 * 3600, db_default=24 * 3600, help_text=_("Seconds between two attempts of a person at the test.")
    )

    share_cap = models.FloatField(
        default=1.0,
        db_default=1.0,
        validators=[MinValueValidator(0.01), MaxValueValidator(1.0)],
        help_text=_("Largest share of a study's answers that one person may give. 1: no limit."),
    )

    # Quality control. A lot keeps the values with which its review started.
    secondary_share = models.FloatField(
        default=1.0,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text=_("Share of a lot's answers that the secondary review checks."),
    )
    blind_share = models.FloatField(
        default=0.2,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text=_("Share of the secondary review, drawn at random, in which the reviewer answers first."),
    )
    spot_share = models.FloatField(
        default=0.2,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text=_("Smallest share of a lot's answers in the spot check. The plan may need more."),
    )
    aql = models.FloatField(
        default=0.02,
        validators=[MinValueValidator(0.0), MaxValueValidator(0.5)],
        help_text=_("A lot with at most this share of defects is good."),
    )
    ltpd = models.FloatField(
        default=0.1,
        validators=[MinValueValidator(0.001), MaxValueValidator(1.0)],
        help_text=_("A lot with at least this share of defects is bad."),
    )
    alpha = models.FloatField(
        default=0.05,
        validators=[MinValueValidator(0.001), MaxValueValidator(0.5)],
        help_text=_("The highest acceptable probability that a good lot is returned."),
    )
    beta = models.FloatField(
        default=0.1,
        validators=[MinValueValidator(0.001), MaxValueValidator(0.5)],
        help_text=_("The highest acceptable probability that a bad lot is accepted."),
    )

    # More answers where answers disagree.
    more_answers = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        validators=[MaxValueValidator(MOST_MORE_ANSWERS)],
        help_text=_("The most answers to ask for on a pair, one at a time, while its answers disagree. 0: none."),
    )
    more_for_helpfulness = models.BooleanField(
        default=True,
        db_default=True,
        help_text=_(
            "Ask for more answers if no choice has more than half of the answers on which video is more helpful."
        ),
    )
    more_for_harmlessness = models.BooleanField(
        default=True,
        db_default=True,
        help_text=_("Ask for more answers if no choice has more than half of the answers on which video is safer."),
    )
    more_for_safety = models.BooleanField(
        default=True,
        db_default=True,
        help_text=_("Ask for more answers if the answers are split evenly on whether a video has any harm tag."),
    )

    # Protection of people from harmful content.
    categories = ArrayField(
        models.CharField(max_length=24),
        default=list,
        blank=True,
        help_text=_("Harms that the study's videos may show. People agree to each by name before their first pair."),
    )
    consent_version = models.PositiveIntegerField(default=1, help_text=_("Version of the consent text and the harms."))
    media_filter = models.CharField(
        max_length=9,
        choices=MediaFilter.choices,
        default=MediaFilter.NONE,
        help_text=_("How videos are shown until they are revealed, unless the person chose otherwise."),
    )
    daily_dose_s = models.PositiveIntegerField(
        default=2 * 3600,
        help_text=_(
            "Seconds of possibly harmful video that a person may see per day. After that, only harmless "
            "pairs are served. 0: no limit."
        ),
    )
    harmless_after = models.PositiveSmallIntegerField(
        default=10,
        help_text=_("Number of possibly harmful pairs in a row after which a harmless one is served. 0: never."),
    )
    break_after_s = models.PositiveIntegerField(
        default=50 * 60, help_text=_("Seconds of active work before a paid break is due. 0: never.")
    )
    break_s = models.PositiveIntegerField(default=10 * 60, help_text=_("Length of a break in seconds."))
    help_contact = models.CharField(
        max_length=300, blank=True, help_text=_("The contact for annotators who need help, and how to reach them.")
    )

    pseudonym_key = models.CharField(
        max_length=64,
        default=new_pseudonym_key,
        editable=False,
        help_text=_("Key from which the codes of annotators in files are made."),
    )

    # Information for an ethics board and a data card.
    ethics_id = models.CharField(max_length=120, blank=True)
    pay_basis = models.CharField(max_length=200, blank=True)
    vendor = models.CharField(max_length=200, blank=True, db_default="")
    terms = models.TextField(blank=True)

    objects = StudyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "studies"
        constraints = [
            models.CheckConstraint(name="study_slug_form", condition=Q(slug__regex=r"^[a-z0-9][a-z0-9-]*$")),
            models.CheckConstraint(
                name="study_archived_does_not_run", condition=Q(archived_at__isnull=True) | ~Q(state="running")
            ),
            models.CheckConstraint(name="study_state_known", condition=Q(state__in=["running", "paused", "closed"])),
            models.CheckConstraint(
                name="study_dimension_order_known",
                condition=Q(dimension_order__in=["counterbalanced", "helpfulness_first", "harmlessness_first"]),
            ),
            models.CheckConstraint(name="study_overlap_range", condition=Q(overlap__range=(1, 100))),
            models.CheckConstraint(
                name="study_lease_range",
                condition=Q(lease_s__range=(30, 86400), next_lease_s__range=(30, 86400)),
            ),
            models.CheckConstraint(name="study_tag_format_known", condition=Q(tag_format__in=["check_all", "yes_no"])),
            models.CheckConstraint(
                name="study_media_filter_known", condition=Q(media_filter__in=["none", "blur", "greyscale"])
            ),
            models.CheckConstraint(name="study_control_rate_range", condition=Q(control_rate__range=(0, 0.05))),
            models.CheckConstraint(name="study_share_cap_range", condition=Q(share_cap__range=(0.01, 1))),
            models.CheckConstraint(name="study_hold_after_skips_range", condition=Q(hold_after_skips__gte=1)),
            models.CheckConstraint(
                name="study_qualification_pass_share_range", condition=Q(qualification_pass_share__range=(0.5, 1))
            ),
            models.CheckConstraint(
                name="study_qualification_attempts_range", condition=Q(qualification_attempts__range=(1, 20))
            ),
            models.CheckConstraint(
                name="study_categories_known", condition=Q(categories__contained_by=list(HARM_KEYS))
            ),
            models.CheckConstraint(name="study_sample_share_range", condition=Q(sample_share__range=(0, 1))),
            models.CheckConstraint(name="study_sample_overlap_range", condition=Q(sample_overlap__range=(2, 100))),
            models.CheckConstraint(name="study_test_share_range", condition=Q(test_share__range=(0, 0.5))),
            models.CheckConstraint(
                name="study_review_shares_range",
                condition=Q(secondary_share__range=(0, 1), blind_share__range=(0, 1), spot_share__range=(0, 1)),
            ),
            models.CheckConstraint(
                name="study_risks_range",
                condition=Q(aql__range=(0, 0.5), ltpd__range=(0.001, 1), alpha__range=(0.001, 0.5))
                & Q(beta__range=(0.001, 0.5)),
            ),
            models.CheckConstraint(
                name="study_good_lot_below_bad",
                condition=Q(aql__lt=F("ltpd")),
                violation_error_message=_(
                    "The share of defects of a good lot (AQL) must be smaller than that of a bad lot (LTPD)."
                ),
            ),
            models.CheckConstraint(
                name="study_more_answers_range", condition=Q(more_answers__range=(0, MOST_MORE_ANSWERS))
            ),
            models.CheckConstraint(name="study_break_range", condition=Q(break_s__range=(0, 7200))),
            models.CheckConstraint(name="study_media_window_range", condition=Q(media_window_s__range=(60, 86400))),
        ]

    def __str__(self) -> str:
        return self.slug
