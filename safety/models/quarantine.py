"""Reported material: the quarantine, the reports, and the decisions about it."""

import secrets

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from catalog.models.pairs import QUARANTINED, Pair
from diptych.database.constraints import CompositeForeignKey
from diptych.database.triggers import append_only
from media.models import Asset
from studies.models.studies import Study

#: Without 0, 1, I, L and O, which people confuse with each other.
CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def new_code() -> str:
    """Return 8 random letters and digits."""
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(8))


class Reporter(models.Model):
    """The random code under which safety officers see one person who reports. It does not reveal the person.

    Code that writes a report locks this row first, so that the reports of one person are counted one after the other.
    """

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.PROTECT, related_name="reporter"
    )
    code = models.CharField(max_length=8, default=new_code)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="reporter_code_once", fields=["code"]),
            models.CheckConstraint(name="reporter_code_form", condition=Q(code__regex=f"^[{CODE_LETTERS}]{{8}}$")),
        ]

    def __str__(self) -> str:
        return self.code


class QuarantinedAsset(Asset):
    """A proxy of the asset, with the trigger that keeps an asset marked while it is in quarantine."""

    class Meta:
        proxy = True
        triggers = [
            pgtrigger.Trigger(
                name="asset_in_quarantine_stays_marked",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("quarantined_at"),
                condition=pgtrigger.Q(old__quarantined_at__isnull=False, new__quarantined_at__isnull=True),
                func="""
                    IF EXISTS (SELECT FROM safety_quarantine WHERE asset_id = NEW.id AND released_at IS NULL
                                  AND everywhere_at IS NOT NULL) THEN
                        RAISE EXCEPTION 'Asset % is in quarantine; release that first', NEW.id
                              USING ERRCODE = 'restrict_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]


class QuarantinedPair(Pair):
    """A proxy of the pair, with the trigger that keeps a pair held while one of its videos is in quarantine."""

    class Meta:
        proxy = True
        triggers = [
            pgtrigger.Trigger(
                name="pair_in_quarantine_stays_held",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("held"),
                condition=pgtrigger.Q(old__held=QUARANTINED) & ~pgtrigger.Q(new__held=QUARANTINED),
                func="""
                    IF EXISTS (SELECT FROM catalog_video video JOIN media_asset asset ON asset.id = video.asset_id
                                WHERE video.id IN (NEW.video_0_id, NEW.video_1_id)
                                  AND asset.quarantined_at IS NOT NULL)
                       OR EXISTS (SELECT FROM safety_report report
                                    JOIN safety_quarantine quarantine ON quarantine.id = report.quarantine_id
                                   WHERE report.pair_id = NEW.id AND quarantine.released_at IS NULL) THEN
                        RAISE EXCEPTION 'A video of pair % is in quarantine; release that first', NEW.id
                              USING ERRCODE = 'restrict_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]


class Quarantine(models.Model):
    """One reported asset, from the report until a safety officer releases it.

    It is in force while `released_at` is null. While `everywhere_at` is null too, only the reported pairs are held,
    each in its study. After `everywhere_at`, the asset is hidden in every study, and `Asset.quarantined_at` is set
    too.

    The files are moved after the commit. `files_settled_at` is null until they are where the row says, in quarantine
    or back. Nothing is ever deleted.
    """

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="quarantines")
    opened_at = models.DateTimeField(db_default=Now())
    everywhere_at = models.DateTimeField(null=True, blank=True, help_text="Null: only the reported pairs are held")
    confirmed_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When an officer first confirmed or referred it, or set a legal hold. Null: not yet",
    )
    officers_mailed_at = models.DateTimeField(null=True, blank=True, help_text="Null: no e-mail was sent yet")
    files_settled_at = models.DateTimeField(null=True, blank=True, help_text="Null: the files are not moved yet")
    legal_hold_since = models.DateTimeField(
        null=True, blank=True, help_text="Null: no hold. While set, no release is possible"
    )
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.TextField(blank=True, help_text="Why it was released")

    class Meta:
        indexes = [
            models.Index(name="quarantine_unsettled", fields=["asset"], condition=Q(files_settled_at__isnull=True)),
            # For the count of waiting reports on the pages of every safety officer.
            models.Index(
                name="quarantine_open",
                fields=["asset"],
                condition=Q(released_at__isnull=True, confirmed_at__isnull=True),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                name="quarantine_one_in_force", fields=["asset"], condition=Q(released_at__isnull=True)
            ),
            models.CheckConstraint(
                name="quarantine_released_by_somebody_why",
                condition=Q(released_at__isnull=True, released_by__isnull=True, reason="")
                | (Q(released_at__isnull=False, released_by__isnull=False) & ~Q(reason="")),
            ),
            models.CheckConstraint(
                name="quarantine_no_release_under_legal_hold",
                condition=Q(released_at__isnull=True) | Q(legal_hold_since__isnull=True),
            ),
        ]
        triggers = [pgtrigger.Protect(name="quarantine_rows_stay", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"asset {self.asset_id}, {'in force' if self.released_at is None else 'released'}"


class Report(models.Model):
    """A report by a person that a video they saw may be illegal. No description is asked for or stored."""

    quarantine = models.ForeignKey(Quarantine, on_delete=models.PROTECT, related_name="reports")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="reports")
    pair = models.ForeignKey(Pair, on_delete=models.PROTECT, related_name="reports", db_constraint=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    reported_at = models.DateTimeField(db_default=Now())
    hides = models.BooleanField(
        default=True, db_default=True, help_text="Whether the report hides the video everywhere at once"
    )

    class Meta:
        indexes = [models.Index(name="report_of_person", fields=["person", "reported_at"])]
        constraints = [
            models.UniqueConstraint(name="report_once_a_pair", fields=["quarantine", "person", "pair"]),
            CompositeForeignKey(
                name="report_pair_same_study",
                fields=["study", "pair"],
                to="catalog.Pair",
                to_fields=["study", "id"],
            ),
        ]
        triggers = append_only("report")

    def __str__(self) -> str:
        return f"{self.person_id} on quarantine {self.quarantine_id}"


class QuarantineAct(models.Model):
    """One action on a quarantine, for the safety officers who decide on it. Append-only.

    An action that follows from a report has the reporter, whose code the officers see. An action of an officer has
    the officer.
    """

    class Act(models.TextChoices):
        HELD_IN_STUDY = "held_in_study", _("reported, and the pair was held in its study")
        QUARANTINED = "quarantined", _("quarantined everywhere")
        CONFIRMED = "confirmed", _("confirmed")
        VIEWED = "viewed", _("viewed")
        REFERRED = "referred", _("report to an authority recorded")
        LEGAL_HOLD_SET = "legal_hold_set", _("legal hold set")
        LEGAL_HOLD_LIFTED = "legal_hold_lifted", _("legal hold lifted")
        RELEASED = "released", _("released from quarantine")

    quarantine = models.ForeignKey(Quarantine, on_delete=models.PROTECT, related_name="acts")
    act = models.CharField(max_length=20, choices=Act.choices)
    officer = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reporter = models.ForeignKey(Reporter, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True, help_text="The officer's reason, if one was asked for")
    done_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="quarantine_act_known",
                condition=Q(
                    act__in=[
                        "held_in_study",
                        "quarantined",
                        "confirmed",
                        "viewed",
                        "referred",
                        "legal_hold_set",
                        "legal_hold_lifted",
                        "released",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="quarantine_act_of_officer_or_reporter",
                condition=Q(officer__isnull=False, reporter__isnull=True)
                | Q(officer__isnull=True, reporter__isnull=False),
            ),
            # Only a report holds a pair, and only a report or an officer hides the file everywhere.
            models.CheckConstraint(
                name="quarantine_act_of_reporter_holds",
                condition=Q(officer__isnull=False) & ~Q(act="held_in_study")
                | Q(reporter__isnull=False, act__in=["held_in_study", "quarantined"]),
            ),
            models.UniqueConstraint(
                name="quarantine_act_happens_once",
                fields=["quarantine", "act"],
                condition=Q(act__in=["quarantined", "confirmed", "released"]),
            ),
        ]
        triggers = append_only("quarantine_act")

    def __str__(self) -> str:
        return f"{self.act} of quarantine {self.quarantine_id}"


class Referral(models.Model):
    """A safety officer's record that they notified an authority or hotline. The platform itself notifies nobody."""

    quarantine = models.ForeignKey(Quarantine, on_delete=models.PROTECT, related_name="referrals")
    to_whom = models.CharField(max_length=200)
    reference = models.CharField(max_length=200, blank=True, help_text="Reference number of the authority")
    made_at = models.DateTimeField(help_text="When the authority was told")
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    noted_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="referral_noted_once", fields=["quarantine", "to_whom", "reference", "made_at"]
            ),
            models.CheckConstraint(name="referral_names_whom", condition=~Q(to_whom="")),
        ]
        triggers = append_only("referral")

    def __str__(self) -> str:
        return f"{self.to_whom} on quarantine {self.quarantine_id}"


class RefusedFile(models.Model):
    """A file that an import refused because its hash is known. The file itself is not stored."""

    study_slug = models.CharField(max_length=60, help_text="Study of the import. It may not exist")
    sha256 = models.CharField(max_length=64)
    name = models.CharField(max_length=400, help_text="Name of the file in the manifest")
    refused_by = models.CharField(max_length=200, help_text="The check, as KNOWN_HASH_CHECKS names it")
    reason = models.TextField(help_text="Reason of the check, only for safety officers")
    first_at = models.DateTimeField(db_default=Now())
    last_at = models.DateTimeField(db_default=Now())
    times = models.PositiveIntegerField(default=1, db_default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="refused_file_once_a_study", fields=["study_slug", "sha256"]),
            models.CheckConstraint(name="refused_file_sha256_form", condition=Q(sha256__regex="^[0-9a-f]{64}$")),
        ]

    def __str__(self) -> str:
        return f"{self.sha256[:8]} for {self.study_slug}"
