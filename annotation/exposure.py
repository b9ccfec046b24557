"""How much possibly harmful video a person sees: estimated when a pair is leased, settled when it ends, bounded.

The dose is counted in seconds a day, over all studies, in the person's own time zone. Nothing here enters a figure
of speed, quality or pay.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone

from accounts.models import User
from annotation.models import Assignment, Break, Exposure, Seat
from annotation.protocol import VIDEOS
from catalog.models import Study
from diptych.database.fixed import change, fetch_one

#: How often each clip is expected to be looked at in full, for the estimate.
LOOKS = 2.0
#: More than that is not believed of one pair.
MOST_SECONDS = 3600.0


def day_of(person: User, now: datetime) -> date:
    """The date where the person is."""
    return now.astimezone(_zone(person)).date()


def seconds_to_tomorrow(person: User, now: datetime) -> int:
    """Until the person's day ends and its dose with it."""
    here = now.astimezone(_zone(person))
    tomorrow = (here + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return max(1, int((tomorrow - here).total_seconds()))


def _zone(person: User) -> ZoneInfo:
    try:
        return ZoneInfo(person.time_zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


DOSED = """
INSERT INTO annotation_dose AS dose (person_id, day, seconds)
VALUES (%(person)s, %(day)s, greatest(0, %(more)s::float8))
    ON CONFLICT (person_id, day) DO UPDATE SET seconds = greatest(0, dose.seconds + %(more)s::float8)
"""


def settle(
    assignment: Assignment,
    person: User,
    *,
    care: Mapping[str, Any] | None,
    tagged: Collection[str] = (),
    too_distressing: bool = False,
) -> float:
    """Replaces what was expected of a pair by what was seen of it; the seconds by which the dose grew.

    Call it once, when the assignment ends.

    Args:
        care: `{"revealed_s": {"video_0": seconds, …}, "hidden": times}` as the page reports it; None: unknown, and
            the estimate stands. The same holds without `revealed_s`.
        tagged: the videos that the person tagged. Of a pair that was expected to be harmless only these count.
    """
    hidden = care.get("hidden", 0) if care else 0
    known = Exposure.objects.select_for_update().filter(assignment_id=assignment.pk).first()
    if known is None and not (hidden or too_distressing or (care and tagged)):
        return 0.0
    day = day_of(person, timezone.now())
    exposure = known or Exposure(assignment_id=assignment.pk, study_id=assignment.study_id, person=person, day=day)
    before = exposure.expected_s if exposure.revealed_s is None else exposure.revealed_s
    if care is not None:
        revealed = care.get("revealed_s")
        counted = VIDEOS if known is not None or too_distressing else tagged
        seen_s = before if revealed is None else sum(revealed.get(video, 0.0) for video in counted)
        exposure.revealed_s = min(MOST_SECONDS, seen_s)
    exposure.hidden += hidden
    exposure.too_distressing |= too_distressing
    exposure.save()
    more = (before if exposure.revealed_s is None else exposure.revealed_s) - before
    if more:
        change(DOSED, {"person": person.pk, "day": exposure.day, "more": more})
    return more


#: What a person is expected to see of a lease that `queue.TAKE` did not give. What was taken back as unseen is
#: expected again.
EXPECTED = """
WITH exposed AS (
    INSERT INTO annotation_exposure AS exposure
           (assignment_id, study_id, person_id, day, expected_s, hidden, too_distressing)
    SELECT %(assignment)s, pair.study_id, %(person)s, %(day)s,
           %(looks)s * (SELECT coalesce(sum(asset.duration_s), 0)
                          FROM catalog_video video JOIN catalog_asset asset ON asset.id = video.asset_id
                         WHERE video.id IN (pair.video_0_id, pair.video_1_id)), 0, false
      FROM catalog_pair pair WHERE pair.id = %(pair)s AND pair.lane = 1
        ON CONFLICT (assignment_id) DO UPDATE
       SET day = excluded.day, revealed_s = NULL WHERE exposure.revealed_s = 0
    RETURNING expected_s
)
INSERT INTO annotation_dose AS dose (person_id, day, seconds)
SELECT %(person)s, %(day)s, expected_s FROM exposed
    ON CONFLICT (person_id, day) DO UPDATE SET seconds = dose.seconds + excluded.seconds
RETURNING (SELECT expected_s FROM exposed)
"""


def expect(assignment_id: int, pair_id: int, person: User, now: datetime) -> float:
    """Estimates what the person will see of a lease; the seconds by which the dose grew."""
    values = {"assignment": assignment_id, "pair": pair_id, "person": person.pk, "looks": LOOKS}
    row = fetch_one(EXPECTED, values | {"day": day_of(person, now)})
    return row[0] if row else 0.0


UNSEEN = """
WITH ended AS (  -- locks all three rows and waits for none, so nobody waits for it in turn
    SELECT exposure.assignment_id
      FROM annotation_exposure exposure
      JOIN annotation_assignment assignment ON assignment.id = exposure.assignment_id
      JOIN annotation_dose dose ON dose.person_id = exposure.person_id AND dose.day = exposure.day
     WHERE exposure.revealed_s IS NULL
       AND assignment.state IN ('expired', 'released') AND assignment.shown_at IS NULL
       FOR NO KEY UPDATE SKIP LOCKED
), unseen AS (
    UPDATE annotation_exposure exposure SET revealed_s = 0
      FROM ended WHERE exposure.assignment_id = ended.assignment_id
    RETURNING exposure.person_id, exposure.day, exposure.expected_s
)
UPDATE annotation_dose dose SET seconds = greatest(0, dose.seconds - given_back.seconds)
  FROM (SELECT person_id, day, sum(expected_s) AS seconds FROM unseen GROUP BY person_id, day) given_back
 WHERE dose.person_id = given_back.person_id AND dose.day = given_back.day
"""


def forget_unseen() -> int:
    """Takes back what was expected of pairs that ended before they were shown; how many people's days it changed."""
    return change(UNSEEN, {})


def break_left_s(seat: Seat, study: Study, now: datetime) -> int:
    """Seconds of a break that is still to be taken; 0: none. Starts the break that is due, on a locked seat."""
    if seat.break_until is not None and seat.break_until > now:
        return int((seat.break_until - now).total_seconds()) + 1
    if not (study.break_s and 0 < study.break_after_s * 1000 <= seat.since_break_ms):
        return 0
    seat.break_until = now + timedelta(seconds=study.break_s)
    seat.since_break_ms = 0
    seat.save(update_fields=["break_until", "since_break_ms"])
    Break.objects.create(
        study=study, person_id=seat.person_id, why=Break.Why.WORK, began_at=now, ends_at=seat.break_until
    )
    return study.break_s


def note_dose_break(seat: Seat, study: Study, now: datetime, seconds: int) -> None:
    """Notes, once a day, that the person has reached their dose and nothing harmless is left: a paid break."""
    running = Break.objects.filter(study=study, person_id=seat.person_id, why=Break.Why.DOSE, ends_at__gt=now)
    if not running.exists():
        Break.objects.create(
            study=study,
            person_id=seat.person_id,
            why=Break.Why.DOSE,
            began_at=now,
            ends_at=now + timedelta(seconds=seconds),
        )
