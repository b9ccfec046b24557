"""Licence and terms of each prompt source and each generator whose material is in a study."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Value
from django.db.models.functions import Coalesce, NullIf
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from catalog.models import Prompt, Provenance, Video
from diptych.database.natural import Natural
from diptych.refusals import ChangedMeanwhile
from studies.models import Study

#: Names a kind; a study that names each prompt's own address as its source has more than a page holds.
MOST_NAMES = 100
BY_NAME = (Natural("name"), "name")


@dataclass(frozen=True, slots=True)
class Origin:
    """One source or generator: how many prompts or videos are from it, and what is recorded of it."""

    kind: str
    name: str
    count: int
    licence: str
    terms: str


def origins(study: Study) -> list[Origin]:
    """What the study's material names, most of it first, then what is recorded and no longer named."""
    recorded = {
        (row.kind, row.name): row
        for row in Provenance.objects.filter(study=study).order_by("kind", Natural("name"), "name")
    }
    found = []
    for kind, counts in (("source", _sources(study)), ("generator", _generators(study))):
        for name, count in counts:
            row = recorded.pop((kind, name), None)
            found.append(Origin(kind, name, count, row.licence if row else "", row.terms if row else ""))
    found += [Origin(row.kind, row.name, 0, row.licence, row.terms) for row in recorded.values()]
    return found


def _sources(study: Study) -> list[tuple[str, int]]:
    """The channel or address of prompts, or else the kind of their source."""
    named = Coalesce(NullIf("source_detail", Value("")), NullIf("source", Value("")))
    rows = Prompt.objects.filter(study=study).annotate(name=named).exclude(name=None).values("name")
    return list(rows.annotate(n=Count("pk")).order_by("-n", *BY_NAME).values_list("name", "n")[:MOST_NAMES])


def _generators(study: Study) -> list[tuple[str, int]]:
    rows = Video.objects.filter(study=study).exclude(generator="").annotate(name=F("generator")).values("name")
    return list(rows.annotate(n=Count("pk")).order_by("-n", *BY_NAME).values_list("name", "n")[:MOST_NAMES])


@transaction.atomic
def record_licence(
    study: Study, *, kind: str, name: str, licence: str, terms: str, seen: tuple[str, str], actor: User
) -> bool:
    """Records licence and terms of one origin; whether that changed anything.

    `seen` is the licence and the terms that the person saw. Raises ChangedMeanwhile if they are others by now.
    """
    row = Provenance.objects.select_for_update().filter(study=study, kind=kind, name=name).first()
    before = (row.licence, row.terms) if row else ("", "")
    if before == (licence, terms):
        return False
    if before != seen:
        raise _other_words(name)
    if row is None:
        try:
            with transaction.atomic():
                row = Provenance.objects.create(study=study, kind=kind, name=name, licence=licence, terms=terms)
        except IntegrityError:
            raise _other_words(name) from None
    else:
        row.licence, row.terms = licence, terms
        row.save(update_fields=["licence", "terms"])
    said = {"kind": kind, "name": name}
    audit.record(
        "provenance.recorded",
        row,
        actor=actor,
        study_slug=study.slug,
        before=said | {"licence": before[0], "terms": before[1]},
        after=said | {"licence": licence, "terms": terms},
    )
    return True


def _other_words(name: str) -> ChangedMeanwhile:
    return ChangedMeanwhile(
        _(
            "Someone else changed the terms of %(name)s in the meantime. Their version is below. "
            "Your changes were not saved."
        )
        % {"name": name}
    )
