"""How much possibly harmful video a person sees: estimated when a pair is leased, and replaced by what is reported.

The dose is counted in seconds a day, over all studies, in the person's own time zone. Nothing here enters a figure
of speed, quality or pay. The reports themselves are read in `exposure_reports`.

Locks: the assignment first, then its `Exposure` rows, then the doses by day.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from accounts.models import User
from annotation.models import Break, Exposure, Seat
from diptych.database.fixed import change, fetch_one
from studies.models import Study

#: How often each clip is expected to be looked at in full, for the estimate.
LOOKS = 2.0


def day_of(person: User, now: datetime) -> date:
    """The date where the person is."""
    return now.astimezone(_zone(person)).date()


def day_began(person: User, now: datetime) -> datetime:
    """Return when the day began where the person is."""
    return now.astimezone(_zone(person)).replace(hour=0, minute=0, second=0, microsecond=0)


def seconds_to_tomorrow(person: User, now: datetime) -> int:
    """Until the person's day ends and its dose with it."""
    here = now.astimezone(_zone(person))
    tomorrow = (here + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return max(1, int((tomorrow.astimezone(UTC) - now.astimezone(UTC)).total_seconds()))


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


def add_to_dose(person_id: int, changes: Iterable[tuple[date, float]]) -> None:
    """Changes the person's doses by seconds, day by day; the days in order, so that no two wait for each other."""
    for day, more in sorted(changes):
        if more:
            change(DOSED, {"person": person_id, "day": day, "more": more})


#: What a person is expected to see of a lease that `queue.TAKE` did not write down. What still stands of that day,
#: shown and never reported, is not expected twice.
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
    """Estimates what the person will see of a pair that they are given again. Returns the seconds by which the day's
    dose grew.

    Call it in the transaction that makes the assignment a lease again. `is_shown`: it is shown at once.
    """
    today = day_of(person, now)
    lapsed = lapse(assignment_id, person).get(today, 0.0)
    values = {"assignment": assignment_id, "pair": pair_id, "person": person.pk, "looks": LOOKS}
    row = fetch_one(EXPECTED, values | {"day": today, "is_shown": is_shown})
    return (row[0] if row else 0.0) - lapsed


def lapse(assignment_id: int, person: User) -> dict[date, float]:
    """Takes back what was expected of the assignment's last lease and has not come. Returns the seconds by day."""
    lapsed: dict[date, float] = {}
    for row in Exposure.objects.select_for_update().filter(assignment_id=assignment_id, lapses_s__gt=0).order_by("day"):
        lapsed[row.day] = row.lapses_s
        row.expected_s, row.lapses_s = row.expected_s - row.lapses_s, 0.0
        row.save(update_fields=["expected_s", "lapses_s"])
    add_to_dose(person.pk, [(day, -seconds) for day, seconds in lapsed.items()])
    return lapsed


def expect_today(assignment_id: int, person: User, now: datetime) -> float:
    """Moves what is expected of a pair to today: it was leased on an earlier day, and is shown now. Returns the seconds
    by which today's dose grew."""
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
WITH ended AS (  -- locks all three rows and waits for none, so nobody waits for it in turn
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


def forget_unseen() -> int:
    """Takes back what was expected of leases that ended before their pair was shown, and what a report left to expect
    of leases that ended since. Returns how many people's days it changed."""
    return change(LAPSED, {})


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
