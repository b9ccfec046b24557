"""How much possibly harmful video a person sees. It is estimated when a pair is leased, and later replaced by reports.

The dose is counted in seconds per day, over all studies, in the person's own time zone. It never enters a figure of
speed, quality or pay. `exposure_reports` processes the reports.

Lock the assignment first, then its `Exposure` rows, then the doses by day.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from accounts.days import day_of, end_of_day
from accounts.models import User
from annotation.models import Break, Dose, Exposure, Seat
from diptych.database.fixed import change, fetch_one
from studies.models import Study

#: For the estimate: how often a person is expected to watch each clip in full.
LOOKS = 2.0


def seconds_to_tomorrow(person: User, now: datetime) -> int:
    """Return the seconds until the person's day ends. The dose starts again at 0 then."""
    return max(1, int((end_of_day(person, now) - now).total_seconds()))


def counts_on(person: User, day: date) -> bool:
    """Return whether the person was exposed on the day. Lock their seats, so that no lease is made meanwhile."""
    list(Seat.objects.select_for_update(no_key=True).filter(person=person).order_by("pk").values_list("pk"))
    return Dose.objects.filter(person=person, day=day, seconds__gt=0).exists()


DOSED = """
INSERT INTO annotation_dose AS dose (person_id, day, seconds)
VALUES (%(person)s, %(day)s, greatest(0, %(more)s::float8))
    ON CONFLICT (person_id, day) DO UPDATE SET seconds = greatest(0, dose.seconds + %(more)s::float8)
"""


def add_to_dose(person_id: int, changes: Iterable[tuple[date, float]]) -> None:
    """Change the person's doses by these seconds, in the order of the days, so that two calls never deadlock."""
    for day, more in sorted(changes):
        if more:
            change(DOSED, {"person": person_id, "day": day, "more": more})


#: Add the expected exposure of a lease that `queue.LEASE` did not record. Seconds that the same day still expects,
#: because the pair was shown and never reported, are not added twice.
EXPECTED = """
WITH estimate AS (
    SELECT pair.study_id, %(looks)s * (SELECT coalesce(sum(asset.duration_s), 0)
                                         FROM catalog_video video JOIN media_asset asset ON asset.id = video.asset_id
                                        WHERE video.id IN (pair.video_0_id, pair.video_1_id)) AS seconds
      FROM catalog_pair pair WHERE pair.id = %(pair)s AND pair.lane = 1
), stood AS (
    SELECT coalesce((SELECT expected_s FROM annotation_exposure
                      WHERE assignment_id = %(assignment)s AND day = %(day)s FOR UPDATE), 0) AS seconds
), more AS (
    SELECT estimate.study_id, greatest(0, estimate.seconds - stood.seconds) AS seconds FROM estimate, stood
), exposed AS (
    INSERT INTO annotation_exposure AS exposure (assignment_id, study_id, person_id, day, expected_s, lapses_s)
    SELECT %(assignment)s, study_id, %(person)s, %(day)s, seconds, CASE WHEN %(is_shown)s THEN 0 ELSE seconds END
      FROM more
        ON CONFLICT (assignment_id, day) DO UPDATE
       SET expected_s = exposure.expected_s + excluded.expected_s, lapses_s = excluded.lapses_s
), dosed AS (
    INSERT INTO annotation_dose AS dose (person_id, day, seconds)
    SELECT %(person)s, %(day)s, seconds FROM more
        ON CONFLICT (person_id, day) DO UPDATE SET seconds = dose.seconds + excluded.seconds
)
SELECT seconds FROM more
"""


def expect(assignment_id: int, pair_id: int, person: User, now: datetime, *, is_shown: bool) -> float:
    """Estimate the exposure of a pair that the person is given again. Return the seconds by which today's dose grew.

    Call it in the transaction that makes the assignment a lease again.

    Args:
        is_shown: whether the pair is shown at once.
    """
    today = day_of(person, now)
    lapsed = lapse(assignment_id, person).get(today, 0.0)
    values = {"assignment": assignment_id, "pair": pair_id, "person": person.pk, "looks": LOOKS}
    row = fetch_one(EXPECTED, values | {"day": today, "is_shown": is_shown})
    return (row[0] if row else 0.0) - lapsed


def lapse(assignment_id: int, person: User) -> dict[date, float]:
    """Take back the expected seconds of the assignment's last lease that did not happen. Return them by day."""
    lapsed: dict[date, float] = {}
    for row in Exposure.objects.select_for_update().filter(assignment_id=assignment_id, lapses_s__gt=0).order_by("day"):
        lapsed[row.day] = row.lapses_s
        row.expected_s, row.lapses_s = row.expected_s - row.lapses_s, 0.0
        row.save(update_fields=["expected_s", "lapses_s"])
    add_to_dose(person.pk, [(day, -seconds) for day, seconds in lapsed.items()])
    return lapsed


def expect_today(assignment_id: int, person: User, now: datetime) -> float:
    """Move the expected exposure of a pair to today, if it was leased on an earlier day and is shown now.

    Return the seconds by which today's dose grew.
    """
    today = day_of(person, now)
    rows = list(Exposure.objects.select_for_update().filter(assignment_id=assignment_id, expected_s__gt=0))
    earlier = [row for row in rows if row.day != today]
    seconds = max((row.expected_s for row in earlier), default=0.0)
    if not seconds or len(earlier) < len(rows):
        return 0.0
    changes = [(row.day, -row.expected_s) for row in earlier]
    for row in earlier:
        row.expected_s = row.lapses_s = 0.0
        row.save(update_fields=["expected_s", "lapses_s"])
    Exposure.objects.update_or_create(
        assignment_id=assignment_id,
        day=today,
        defaults={"expected_s": seconds},
        create_defaults={"expected_s": seconds, "study_id": earlier[0].study_id, "person_id": person.pk},
    )
    add_to_dose(person.pk, [*changes, (today, seconds)])
    return seconds


LAPSED = """
WITH ended AS (  -- locks all three rows, and skips locked ones, so it never takes part in a deadlock
    SELECT exposure.id, exposure.person_id, exposure.day, exposure.lapses_s
      FROM annotation_exposure exposure
      JOIN annotation_assignment assignment ON assignment.id = exposure.assignment_id
      JOIN annotation_dose dose ON dose.person_id = exposure.person_id AND dose.day = exposure.day
     WHERE exposure.lapses_s > 0 AND assignment.state IN ('expired', 'released', 'offered')
       FOR NO KEY UPDATE SKIP LOCKED
), lapsed AS (
    UPDATE annotation_exposure exposure SET expected_s = exposure.expected_s - ended.lapses_s, lapses_s = 0
      FROM ended WHERE exposure.id = ended.id
    RETURNING ended.person_id, ended.day, ended.lapses_s
)
UPDATE annotation_dose dose SET seconds = greatest(0, dose.seconds - given_back.seconds)
  FROM (SELECT person_id, day, sum(lapses_s) AS seconds FROM lapsed GROUP BY person_id, day) given_back
 WHERE dose.person_id = given_back.person_id AND dose.day = given_back.day
"""


def lapse_ended_leases() -> int:
    """Take back the expected seconds of ended leases that did not happen. Return how many people's days changed.

    These are leases that ended before their pair was shown, or after a report that left some seconds expected.
    """
    return change(LAPSED, {})


def break_left_s(seat: Seat, study: Study, now: datetime) -> int:
    """Return the seconds that are left of the person's break, or 0. Start a break that is due. The seat is locked."""
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


def record_dose_break(seat: Seat, study: Study, now: datetime, seconds: int) -> None:
    """Record a paid break, once a day, for a person at their daily limit when no harmless pair is left."""
    running = Break.objects.filter(study=study, person_id=seat.person_id, why=Break.Why.DOSE, ends_at__gt=now)
    if not running.exists():
        Break.objects.create(
            study=study,
            person_id=seat.person_id,
            why=Break.Why.DOSE,
            began_at=now,
            ends_at=now + timedelta(seconds=seconds),
        )
