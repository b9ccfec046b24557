"""Who gave the answers of a release, as numbers of people. No group of fewer than five people is ever shown."""

from collections import Counter
from collections.abc import Iterable

from django.db.models import Q

from accounts.models import Profile
from releases.collection import FEWEST
from releases.models import Release, ReleaseItem

#: What people may say of themselves, in the order of the card.
ASKED = ("born", "gender", "country", "first_language", "education")


def of_release(release: Release) -> dict[str, dict[str, int]]:
    """Return for each thing that people said of themselves how many said what, in groups of at least five.

    The empty word stands for all others: those who said something rarer, and those who said nothing. A thing of which
    no group can be shown is left out.
    """
    items = ReleaseItem.objects.filter(Q(validity="valid"), release=release)
    people = list(items.order_by().values_list("annotation__assignment__person_id", flat=True).distinct())
    if len(people) < FEWEST:
        return {}
    rows = Profile.objects.filter(user__in=people)
    said: dict[str, list[str]] = {name: [] for name in ASKED}
    for profile in rows:
        said["born"].append(
            f"{profile.year_of_birth // 10}0–{profile.year_of_birth // 10}9" if profile.year_of_birth else ""
        )
        for name in ASKED[1:]:
            said[name].append(getattr(profile, name).strip())
    found = {name: grouped(values, len(people)) for name, values in said.items()}
    return {name: groups for name, groups in found.items() if groups}


def grouped(said: Iterable[str], people: int) -> dict[str, int]:
    """Return the groups of at least five of these people, and all others together under the empty word.

    If the others are fewer than five, the smallest group joins them: otherwise their number would follow from the
    others. The result is empty if no group is left.
    """
    groups = [(word, number) for word, number in Counter(said).most_common() if word and number >= FEWEST]
    groups.sort(key=lambda group: (-group[1], group[0]))
    rest = people - sum(number for _word, number in groups)
    while groups and 0 < rest < FEWEST:
        rest += groups.pop()[1]
    return dict(groups) | ({"": rest} if groups and rest else {})
