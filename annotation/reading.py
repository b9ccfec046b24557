"""Publish the guideline, find what a person has not read yet, and record that they have read it.

A leased pair keeps the guideline version it was given with. A seat gets no new pair while its `guideline_read` is below
the study's `guideline_version`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from annotation.models import Seat
from annotation.protocol import HARM_KEYS, HARMLESSNESS_OVERALL, HELPFULNESS_OVERALL, SUB_DIMENSION_KEYS
from annotation.seats import locked_seat
from diptych.refusals import ChangedMeanwhile, NotThere
from studies.documents.changes import ADDED, SAME, Change, changes
from studies.documents.markdown import sections
from studies.documents.publishing import publish
from studies.documents.texts import text_of
from studies.models import Document, Study

#: Each question on the page links to the section with its key, a group of tags to `tags`, and a tag to its own section.
TAGS = "tags"
NEEDED_SECTIONS = (
    *SUB_DIMENSION_KEYS,
    HELPFULNESS_OVERALL.key,
    TAGS,
    *(f"tag-{key}" for key in HARM_KEYS),
    HARMLESSNESS_OVERALL.key,
)


@dataclass(frozen=True, slots=True)
class Unread:
    """The sections of the guideline that changed since the person last read it.

    `since` is the version they read last. If there is none to compare with, it is None and `sections` has all sections.
    """

    version: int
    since: int | None
    language: str
    sections: list[Change]


def publish_guideline(study: Study, *, texts: Mapping[str, str], actor: User | None) -> int:
    """Publish these texts as the study's guideline and return the new version. People read it before their next pair.

    Raise Refused with the missing sections.
    """
    return publish(study, Document.Kind.GUIDELINE, texts=texts, actor=actor, needed=NEEDED_SECTIONS)


def unread_sections(person: User, study: Study, language: str) -> Unread:
    """Return what the person has to read before their next pair. There are no sections if nothing changed."""
    present = text_of(study, Document.Kind.GUIDELINE, language)
    read = Seat.objects.filter(study=study, person=person).values_list("guideline_read", flat=True).first()
    before = _as_read(study, present.language, read or 0)
    after = sections(present.text)
    if before is None:
        everything = [Change(one.key, one.title, one.level, ADDED, one.html) for one in after]
        return Unread(present.version, None, present.language, everything)
    changed = [one for one in changes(sections(before.text), after) if one.kind != SAME]
    return Unread(present.version, before.version, present.language, changed)


def _as_read(study: Study, language: str, version: int) -> Document | None:
    """Return the text that the person read, or None if it was in another language and cannot be compared."""
    try:
        text = text_of(study, Document.Kind.GUIDELINE, language, version)
    except NotThere:
        return None
    return text if text.language == language else None


@transaction.atomic
def mark_read(person: User, study: Study, version: int) -> None:
    """Record that the person has read this version. The recorded version never decreases, and repeating is harmless.

    Raise ChangedMeanwhile if another version was published while they read.
    """
    seat = locked_seat(person, study)
    before = seat.guideline_read
    moved = Seat.objects.filter(pk=seat.pk, guideline_read__lt=version, study__guideline_version=version).update(
        guideline_read=version
    )
    if moved:
        audit.record(
            "guideline.read",
            seat,
            actor=person,
            study_slug=study.slug,
            before={"version": before},
            after={"version": version},
        )
        return
    present = Study.objects.values_list("guideline_version", flat=True).get(pk=study.pk)
    if version != present:
        sentence = _("The guideline has changed. Please read version %(version)s before you continue.")
        raise ChangedMeanwhile(sentence % {"version": present}, "not_in_force")
