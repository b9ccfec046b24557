"""All numbers of the card and of the figures of a release, as JSON: `card.json`.

They come from the release alone: its items, what was copied with them, and texts that nobody can change. So they are
the same whenever they are made.
"""

from collections import Counter
from statistics import fmean
from typing import Any

from django.db import connection

from release_card.figures.sums import Names, Sums
from releases.items import Items
from releases.models import Release
from studies.documents.texts import versions
from studies.models import Document

#: Videos of a prompt, and answers of a pair, from which on all are counted together.
FROM_HERE_ON = 5
#: The most generators and refiners that are listed.
MOST_LISTED = 100
HOURS = """
SELECT coalesce(sum(annotation.active_ms), 0)::bigint, count(*),
       count(*) FILTER (WHERE item.standing__current AND cardinality(item.reviews) > 0)
  FROM releases_releaseitem item JOIN annotation_annotation annotation ON annotation.id = item.annotation_id
 WHERE item.release_id = %(release)s AND item.standing__validity = 'valid'"""


def of_release(release: Release, items: Items) -> dict[str, Any]:
    """Return all numbers. Raise Cancelled or TakenOver."""
    from release_card import agreement, leaks  # numpy, which only workers load
    from release_card.figures import labellers, results, rows

    sums, generators = rows.sums_of(release, items)
    ties = bool(release.about["card"]["settings"]["allow_ties"])
    return {
        "card": 1,
        "release": release.number,
        "study": release.about["study"],
        "title": release.about["title"],
        "frozen_on": frozen_on(release),
        "licence": release.licence,
        "licence_reason": release.licence_reason,
        "terms": release.terms,
        "parent": release.parent.number if release.parent else None,
        "filter": release.filter,
        "versions": release.about["versions"],
        "counts": release.counts,
        "funnel": release.funnel,
        "people": release.about["collection"],
        "collected": release.about["card"],
        "guidelines": [
            {"version": one.version, "language": one.language, "path": path_of(one)} for one in guidelines(release)
        ],
        "work": _work(release),
        "composition": composition(sums),
        "leaks": leaks.of_release(release, items),
        "agreement": agreement.of_release(items, ties=ties),
        "figures": results.figures(sums, generators, labellers.of_release(items)),
    }


def frozen_on(release: Release) -> str:
    """Return the day on which the answers were copied, in UTC."""
    assert release.frozen_at is not None  # noqa: S101 - files follow items
    return release.frozen_at.date().isoformat()


def guidelines(release: Release) -> list[Document]:
    """Return the guideline in all versions and languages by which answers were given. A trigger forbids changes."""
    used = [int(version) for version in release.about["versions"]["guideline"]]
    found = versions(release.study, Document.Kind.GUIDELINE).filter(version__in=used)
    return list(found.order_by("version", "language"))


def path_of(guideline: Document) -> str:
    """Return the path of a guideline in a release."""
    return f"guideline/v{guideline.version}-{guideline.language}.md"


def _work(release: Release) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(HOURS, {"release": release.pk})
        active_ms, revisions, reviewed = cursor.fetchone()
    return {"hours": round(active_ms / 3_600_000, 1), "revisions": revisions, "reviewed_answers": reviewed}


def composition(sums: Sums) -> dict[str, Any]:
    """Return what a release consists of, as the paper states it of its dataset."""
    prompts = sum(sums.prompts.values())
    return {
        "prompts": prompts,
        "prompts_by_type_and_source": [[*key, number] for key, number in sorted(sums.prompts.items())],
        "prompts_by_part": dict(sorted(sums.parts.items())),
        "languages": dict(sums.languages.most_common(MOST_LISTED)),
        "words": _spread(sums.words),
        "videos_a_prompt": _up_to(sums.videos_a_prompt) | {"mean": _mean(sums.videos_a_prompt)},
        "tv_pairs": sums.tv_pairs,
        "refined": sums.refined,
        "judged": sums.tv_tags.number,
        "safe": sums.tv_tags.none,
        "pairs": sums.pairs,
        "pairs_by_part": dict(sorted(sums.pairs_of_parts.items())),
        "answers": sums.answers,
        "answers_a_pair": _up_to(sums.answers_a_pair),
        "generators": _listed(sums.by_generator),
        "refiners": _listed(sums.by_refiner),
    }


def _up_to(counted: Counter[int]) -> dict[str, Any]:
    """Return how many have each number, with all from `FROM_HERE_ON` on together."""
    found: Counter[str] = Counter()
    for number, times in sorted(counted.items()):
        found[str(number) if number < FROM_HERE_ON else f"{FROM_HERE_ON}+"] += times
    return dict(found)


def _mean(counted: Counter[int]) -> float | None:
    return round(fmean(counted.keys(), counted.values()), 2) if counted else None


def _spread(counted: Counter[int]) -> dict[str, Any]:
    """Return the mean, the middle, and both ends."""
    if not counted:
        return {"mean": None, "median": None, "least": None, "most": None}
    half, passed, middle = counted.total() / 2, 0, 0
    for number, times in sorted(counted.items()):
        middle, passed = number, passed + times
        if passed >= half:
            break
    return {"mean": _mean(counted), "median": middle, "least": min(counted), "most": max(counted)}


def _listed(names: Names) -> list[list[Any]]:
    """Return names with their numbers, the largest first, and all beyond `MOST_LISTED` as one."""
    ordered = sorted(names.items(), key=lambda one: (-one[1], one[0]))
    rest = sum(number for _name, number in ordered[MOST_LISTED:])
    width = len(ordered[0][0]) if ordered else 1
    more = [[*("…",) * width, rest]] if rest else []
    return [[*name, number] for name, number in ordered[:MOST_LISTED]] + more
