"""Withdraw one answer, one video or one person's answers from releases.

The withdrawal lists every release that has them, and ends the downloads of these releases for good. What is left of
such a release is its manifest, its counts and its tombstones. Releases that are made later leave the answers out.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from annotation.models import Annotation, Assignment
from catalog.models import Video
from diptych.database import locks
from diptych.refusals import BadInput
from releases.codes import code
from releases.models import Release, ReleaseFamily, Tombstone, Withdrawal
from studies.models import Study
from studies.pseudonyms import pseudonym
from webhooks import outbox

Kind = Withdrawal.Kind
LONGEST_REASON = 2000
#: For each kind: the condition on an assignment and its pair. `%(subject)s` is the key of the answer, video or person.
CONDITIONS = {
    Kind.ANSWER: "assignment.id = %(subject)s",
    Kind.VIDEO: "%(subject)s IN (pair.video_0_id, pair.video_1_id)",
    Kind.PERSON: "assignment.person_id = %(subject)s",
}
USED = """
SELECT item.release_id, count(DISTINCT assignment.id)
  FROM annotation_assignment assignment
  JOIN catalog_pair pair ON pair.id = assignment.pair_id
  JOIN annotation_annotation annotation ON annotation.assignment_id = assignment.id
  JOIN releases_releaseitem item ON item.annotation_id = annotation.id
 WHERE assignment.study_id = %(study)s AND {condition}
 GROUP BY item.release_id ORDER BY item.release_id"""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is withdrawn: an assignment, a video or a person."""

    kind: str
    row: Assignment | Video | User

    @property
    def column(self) -> str:
        """Return the name of the field of `Withdrawal` that has it."""
        return {Kind.ANSWER: "assignment", Kind.VIDEO: "video", Kind.PERSON: "person"}[Kind(self.kind)]


def subject(study: Study, kind: str, key: str) -> Subject:
    """Return what a key names. Raise BadInput.

    Args:
        key: for an answer its `annotation_id`, for a video its `video_id`, and for a person their code in the files of
            the study or of one of its releases.
    """
    key = key.strip()
    found: Assignment | Video | User | None
    if kind == Kind.ANSWER:
        number = int(key) if key.isascii() and key.isdigit() and len(key) < 19 else 0
        annotation = Annotation.objects.filter(study=study, pk=number).select_related("assignment").first()
        found = annotation.assignment if annotation else None
    elif kind == Kind.VIDEO:
        found = Video.objects.filter(study=study, public_id=key).first()
    elif kind == Kind.PERSON:
        found = _person(study, key)
    else:
        raise BadInput(_("Choose what to withdraw."), field="kind")
    if found is None:
        raise BadInput(
            _("The files of this study do not have %(key)s. Copy it from a file.") % {"key": key}, field="key"
        )
    return Subject(kind, found)


def _person(study: Study, key: str) -> User | None:
    families = list(ReleaseFamily.objects.filter(study=study))
    for person in User.objects.filter(pk__in=Assignment.objects.filter(study=study).values("person")):
        if key in {pseudonym(study, person.pk), *(code(family, person.pk) for family in families)}:
            return person
    return None


def used_in(study: Study, of: Subject) -> dict[Release, int]:
    """Return every release with items of this subject, and how many of its answers are concerned."""
    with connection.cursor() as cursor:
        cursor.execute(USED.format(condition=CONDITIONS[Kind(of.kind)]), {"study": study.pk, "subject": of.row.pk})
        numbers: dict[int, int] = dict(cursor.fetchall())
    found = Release.objects.filter(pk__in=numbers).select_related("study").order_by("number")
    return {release: numbers[release.pk] for release in found}


def earlier(study: Study) -> QuerySet[Any]:
    """Return the study's withdrawals, latest first. `numbers` of each has the numbers of the releases that had it."""
    numbers = ArrayAgg(
        "tombstones__release__number",
        filter=Q(tombstones__isnull=False),
        order_by="tombstones__release__number",
        default=[],
    )
    return Withdrawal.objects.filter(study=study).annotate(numbers=numbers).order_by("-pk")


def withdraw(study: Study, of: Subject, *, reason: str, actor: User | None) -> Withdrawal:
    """Withdraw the subject from all releases. Repeating it is harmless. Raise BadInput.

    The lock makes the withdrawal come before the items of a release or after them. So a release that is being made
    either leaves the answers out, or has them and fails at its end.
    """
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise BadInput(_("Give a reason in up to %(n)s characters.") % {"n": LONGEST_REASON}, field="reason")
    values: dict[str, Any] = {"study": study, "kind": of.kind, of.column: of.row}
    with transaction.atomic():
        locks.lock(locks.Key.RELEASES, study.pk)
        if made := Withdrawal.objects.filter(**values).first():
            return made
        made = Withdrawal.objects.create(**values, reason=reason, withdrawn_by=actor)
        used = used_in(study, of)
        new = [release for release in used if not Tombstone.objects.filter(release=release).exists()]
        Tombstone.objects.bulk_create(
            Tombstone(study=study, release=release, withdrawal=made, answers=answers)
            for release, answers in used.items()
        )
        about = {"kind": of.kind, "reason": reason, "releases": [release.number for release in used]}
        audit.record("release.withdrawn", made, actor=actor, study_slug=study.slug, after=about)
        for release in new:
            outbox.record(study, "release.withdrawn", {"release": release.number, "release_id": release.pk})
    return made
