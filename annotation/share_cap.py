"""The largest share of a study's answers that one person may give (`Study.share_cap`).

The share is that of the pairs given so far, which seats count anyway (`Seat.served`). An ordinary lease costs nothing
more: the count is read only at every `EVERY`-th pair of a person. So a person may get up to `EVERY` - 1 pairs more than
their share before the next check. A person who has reached it is asked again every `RETRY_S`.
"""

import math

from django.db.models import Sum
from django.utils.translation import gettext as _

from annotation.models import Seat
from annotation.reasons import SHARE, Refusal
from studies.models import Membership, Study
from studies.models.memberships import Role

#: Pairs of a person between two checks.
EVERY = 10
#: Pairs that a person always gets. Without them, the first person of a study would have given all answers.
ALWAYS = 50
RETRY_S = 60


def refusal(seat: Seat, study: Study) -> Refusal | None:
    """Return the refusal if the person of the seat has given their largest share, or None. Most calls use no query."""
    if study.share_cap >= 1 or seat.served < ALWAYS or seat.served % EVERY:
        return None
    given = Seat.objects.filter(study=study).aggregate(all=Sum("served"))["all"] or 0
    return (SHARE, RETRY_S) if seat.served >= study.share_cap * given else None


def people_needed(study: Study) -> int:
    """Return how many annotators a study needs at least, so that they can give all answers."""
    return math.ceil(1 / study.share_cap - 1e-9)


def annotators(study: Study) -> int:
    """Return how many annotators the study has who are not suspended."""
    suspended = Seat.objects.filter(study=study, suspended_at__isnull=False).values("person")
    members = Membership.objects.filter(study=study, role=Role.ANNOTATOR, person__is_active=True)
    return members.exclude(person__in=suspended).count()


def too_few_people(study: Study) -> str:
    """Return a notice if the study has too few annotators for its cap, or an empty string."""
    if study.share_cap >= 1 or (there := annotators(study)) >= (needed := people_needed(study)):
        return ""
    return _(
        "With its limit for each person, this study needs at least %(needed)s annotators. It has %(there)s. Everybody "
        "will reach the limit before all pairs are answered."
    ) % {"needed": needed, "there": there}
