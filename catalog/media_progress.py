"""Progress of the preparation of a study's videos: counts, pace, and problems that delay it.

Distinct files are counted: the same bytes under two prompts are prepared once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.utils import timezone

from catalog.library import listing
from catalog.models import Video
from diptych.durations import HOUR, MINUTE, in_words
from jobs.models import OPEN_STATES
from media import reasons
from media.models import Asset
from studies.models import Study

#: The time left is estimated from the pace in this recent period.
WINDOW = timedelta(minutes=10)
#: No estimate is made before this many files were finished in that period, the first at least this many seconds ago.
ENOUGH = 5
LONG_ENOUGH_S = 30.0


@dataclass(frozen=True, slots=True)
class Counts:
    """Number of a study's files in each state."""

    waiting: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0
    cancelled: int = 0

    @property
    def unfinished(self) -> int:
        return self.waiting + self.running


class Trouble(NamedTuple):
    """A problem that delays files, how many it delays, and when the first of them is tried again."""

    trouble: str
    videos: int
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a study's files are finished, and the time left at that pace; None while there is no estimate."""

    per_minute: float | None
    left_s: float | None

    @property
    def left(self) -> str:
        """Return the time left in words; empty without an estimate. From two hours on it has no minutes, since the
        estimate is not that exact."""
        if self.left_s is None:
            return ""
        return in_words(max(self.left_s, MINUTE), to=HOUR if self.left_s >= 2 * HOUR else MINUTE)


UNKNOWN = Pace(None, None)


def count(study: Study) -> Counts:
    """Count the study's files by state."""
    rows = Video.objects.filter(study=study).values("asset__state").annotate(n=Count("asset", distinct=True))
    return Counts(**dict(rows.order_by().values_list("asset__state", "n")))


def count_listed(study: Study) -> Counts:
    """Count by state what the library lists, where one file under two prompts is two videos."""
    rows = listing.videos(study).order_by().values_list("asset__state").annotate(n=Count("pk"))
    return Counts(**dict(rows))


def pace(study: Study) -> Pace:
    """Return the pace of the last ten minutes, and the time left at that pace.

    The pace is measured from the first file finished in that period until now, so it drops when work stops. It also
    drops while files of other studies are prepared first.
    """
    now = timezone.now()
    lately = Q(finished_at__gte=now - WINDOW)
    waits = Q(state__in=OPEN_STATES, quarantined_at=None)
    of_study = Asset.objects.filter(pk__in=Video.objects.filter(study=study).values("asset"))
    found = of_study.aggregate(
        waiting=Count("pk", filter=waits),
        finished=Count("pk", filter=lately),
        first=Min("finished_at", filter=lately),
    )
    elapsed_s = (now - found["first"]).total_seconds() if found["first"] else 0.0
    if found["finished"] < ENOUGH or elapsed_s < LONG_ENOUGH_S:
        return UNKNOWN
    per_second = (found["finished"] - 1) / elapsed_s
    return Pace(per_second * 60, found["waiting"] / per_second)


def last_finished_at(study: Study) -> datetime | None:
    """Return when the most recent of the study's videos became ready or failed; None if there is none."""
    of_study = Asset.objects.filter(pk__in=Video.objects.filter(study=study).values("asset"))
    found: datetime | None = of_study.aggregate(Max("finished_at"))["finished_at__max"]
    return found


def worker_activity(study: Study) -> tuple[Any, ...]:
    """Return values that change while a worker prepares a video, so that one long video does not look like no worker.

    Videos that are retried because of a problem do not count.
    """
    assets = unfinished(study).filter(pauses=0)
    return tuple(assets.aggregate(Max("heartbeat_at"), Sum("attempts")).values())


def unfinished(study: Study) -> QuerySet[Asset]:
    """Return the study's files that wait or are being prepared."""
    return Asset.objects.filter(videos__study=study, state__in=OPEN_STATES)


def failures(study: Study) -> list[dict[str, str]]:
    """Return published id, prompt, and the code and English sentence of the reason, of each video that failed."""
    rows = Video.objects.filter(study=study, asset__state=Asset.State.FAILED).order_by("pk")
    columns = rows.values_list("public_id", "prompt__text", "asset__reason")
    return [
        {"video": video, "prompt": prompt, "code": reasons.code_of(reason), "reason": reasons.in_english(reason)}
        for video, prompt, reason in columns
    ]


def troubles(study: Study) -> list[Trouble]:
    """Return what keeps videos waiting, in the present language; empty if they only wait for their turn."""
    rows = unfinished(study).exclude(reason="").values_list("reason")
    said = rows.annotate(Count("pk", distinct=True), Min("wait_until")).order_by("reason")
    return [Trouble(reasons.in_words(reason), videos, next_at) for reason, videos, next_at in said]
