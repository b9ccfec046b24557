"""When and why more answers were asked for on one pair, for the pair's page in the library."""

from typing import TYPE_CHECKING, cast

from django.http import HttpRequest

from accounts.models import User
from answers.pair_section import may_see_answers
from catalog.library.pair_sections import PairSection
from catalog.models import Pair
from qc.models import AskedForMore
from studies.models import Study
from studies.models.studies import HasRoles

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


def section(request: HttpRequest, study: "WithAnnotations[Study, HasRoles]", pair: Pair) -> PairSection | None:
    """Return the section, or None if nothing was asked for or the person may not see the pair's answers."""
    if not pair.more_asked or not may_see_answers(study, cast(User, request.user), pair):
        return None
    rows = list(AskedForMore.objects.filter(study=study, pair=pair).order_by("number"))
    return PairSection("qc/_asked_for_more.html", {"rows": rows, "most": study.more_answers})
