"""The answers on one pair, for the pair's page in the library."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from django.http import HttpRequest
from django.utils.functional import Promise

from accounts.models import User
from annotation.models import Annotation, Assignment, Standing
from annotation.protocol import SKIP_REASONS
from answers.lists import answered_by, answers
from answers.words import QUESTIONS, RevisionLine, why_asked, why_invalid, why_uncounted
from catalog.library.pair_sections import PairSection
from catalog.models import Pair
from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import MAY_ANNOTATE, MAY_SEE_ANSWERS, allows
from studies.pseudonyms import pseudonym

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

TEMPLATE = "answers/_pair_answers.html"
#: Skip reasons that say something about the pair. Other reasons are private to the person, so they are not shown.
TELLING_SKIPS = ("technical_problem", "cannot_judge")


@dataclass(frozen=True, slots=True)
class AnswerOfPair:
    """One person's answer: how it stands, and all its revisions, oldest first."""

    standing: Standing
    code: str
    revisions: list[RevisionLine]

    @property
    def why_asked(self) -> str | Promise:
        return why_asked(self.standing)

    @property
    def why_uncounted(self) -> str | Promise:
        return why_uncounted(self.standing)

    @property
    def why_invalid(self) -> str | Promise:
        return why_invalid(self.standing)


def section(request: HttpRequest, study: "WithAnnotations[Study, HasRoles]", pair: Pair) -> PairSection | None:
    """Return the answers on the pair if the person may see them; otherwise None."""
    if not allows(study, MAY_SEE_ANSWERS):
        return None
    person = cast(User, request.user)
    if not may_see_answers(study, person, pair):
        return PairSection(TEMPLATE, {"hidden": True})
    given = Assignment.objects.filter(study=study, pair=pair)
    skips = given.filter(state=Assignment.State.SKIPPED, skip_reason__in=TELLING_SKIPS).order_by("ended_at")
    values = {
        "answers": answers_of(study, person, pair),
        "questions": QUESTIONS.values(),
        "skips": [
            {
                "code": pseudonym(study, one.person_id),
                "why": SKIP_REASONS[one.skip_reason],
                "note": one.skip_note,
                "at": one.ended_at,
            }
            for one in skips
        ],
        "leases": given.filter(state=Assignment.State.LEASED).count(),
    }
    return PairSection(TEMPLATE, values)


def may_see_answers(study: "WithAnnotations[Study, HasRoles]", person: User, pair: Pair) -> bool:
    """Return whether the person may see the answers on the pair. Whoever also annotates has to answer it first."""
    if not allows(study, MAY_SEE_ANSWERS):
        return False
    return not allows(study, MAY_ANNOTATE) or answered_by(study, person).filter(pair=pair).exists()


def answers_of(study: "WithAnnotations[Study, HasRoles]", person: User, pair: Pair) -> list[AnswerOfPair]:
    """Return the answers on one pair in the order in which they arrived, each with its revisions."""
    standings = list(answers(study, person).filter(assignment__pair=pair).order_by("assignment__ended_at", "pk"))
    revisions: dict[int, list[Annotation]] = {}
    for one in Annotation.objects.filter(assignment__in=[row.pk for row in standings]).order_by("revision"):
        revisions.setdefault(one.assignment_id, []).append(one)
    return [
        AnswerOfPair(
            standing,
            pseudonym(study, standing.assignment.person_id),
            [RevisionLine(one, one.pk == standing.current_id) for one in revisions[standing.pk]],
        )
        for standing in standings
    ]
