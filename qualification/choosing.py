"""Which pairs can be chosen for a training or a test: by id, by a list of the library, or offered by other apps."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from catalog.library.filters import PairFilters
from catalog.models import Pair
from diptych.refusals import BadInput
from qualification.sets import MOST_ITEMS, Expected, showable
from studies.models import Study


@dataclass(frozen=True, slots=True)
class Offered:
    """Pairs whose right answers somebody has settled, under one heading. `known` has these answers, by pair."""

    key: str
    label: str | Promise
    pairs: list[Pair] = field(default_factory=list)
    known: dict[int, list[Expected]] = field(default_factory=dict)


#: Functions that return pairs that suit a training or a test. Apps that settle answers add theirs in `ready()`.
offers: list[Callable[[Study], Offered]] = []


def offered(study: Study) -> list[Offered]:
    """Return what other apps offer, without empty headings."""
    return [found for offer in offers if (found := offer(study)).pairs]


def by_ids(study: Study, ids: Iterable[str]) -> list[Pair]:
    """Return the pairs with these published ids, or with the only ids that begin so (12 characters or more).

    Raise BadInput for an id that names no pair, or no single one, that can be shown.
    """
    found = []
    for given in ids:
        rows = []
        if 12 <= len(given) <= 64 and set(given) <= set("0123456789abcdef"):
            rows = list(showable(study).filter(public_id__gte=given, public_id__lt=f"{given}g")[:2])
        if len(rows) != 1:
            raise BadInput(
                _("This study has no pair “%(id)s” that can be shown. Copy the id from the page of the pair.")
                % {"id": given[:64]},
                "unknown_pair",
                field="pairs",
            )
        found.append(rows[0])
    return found


def by_list(study: Study, address: str, most: int) -> list[Pair]:
    """Return the first pairs of a list of the library, in the order of import, without controls.

    Raise BadInput if the address has filters that cannot be used, or if none of its pairs can be shown.

    Args:
        address: the address of the list, or only its part after the question mark.
        most: how many pairs, at most.
    """
    query = urlsplit(address.strip()).query or address.strip().lstrip("?")
    given = QueryDict(mutable=True)
    for name, values in parse_qs(query[:4000]).items():
        given[name] = values[-1]
    filters = PairFilters(given, study=study)
    if not filters.is_valid():
        raise BadInput(_("The address has filters that cannot be used. Copy it from the list of pairs."), field="list")
    rows = filters.narrow(showable(study).exclude(kind=Pair.Kind.CONTROL)).order_by("pk")
    found = list(rows[: max(0, min(most, MOST_ITEMS))])
    if not found:
        raise BadInput(_("No pair of this list can be shown. Choose other filters."), field="list")
    return found
