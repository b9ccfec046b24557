"""Licence and terms of each prompt source and each generator of a study."""

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

#: The most names of one kind. A study whose prompts each name their own address has more than fit on a page.
MOST_NAMES = 100
BY_NAME = (Natural("name"), "name")


@dataclass(frozen=True, slots=True)
class Origin:
    """One source or generator, with the number of its prompts or videos, its licence and its terms."""

    kind: str
    name: str
    count: int
    licence: str
    terms: str


def origins(study: Study) -> list[Origin]:
    """Return the sources and generators that the material names, most frequent first.

    Recorded ones that the material no longer names come last.
    """
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
    """Return the channels or addresses of prompts, or else the kinds of their source, with counts."""
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
    """Save the licence and terms of one source or generator. Return whether that changed anything.

    `seen` is the licence and the terms that the person saw. Raises ChangedMeanwhile if they have changed since.
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
