"""A person's seat in a study. Every change of their leases locks it, so that their requests run one after another."""

from django.utils import timezone

from accounts import days
from accounts.models import User
from annotation import draws
from annotation.models import Seat
from diptych.database.fixed import Columns, fetch_one
from studies.models import Study

SEAT = Columns(Seat, "seat")
SEAT_LOCKED = f"""
SELECT {SEAT.sql},
       (SELECT dose.seconds FROM annotation_dose dose WHERE dose.person_id = %(person)s AND dose.day = %(day)s)
  FROM annotation_seat seat
 WHERE seat.study_id = %(study)s AND seat.person_id = %(person)s
   FOR UPDATE OF seat
"""  # noqa: S608 - of column names


def locked_seat(person: User, study: Study) -> Seat:
    """Return the person's seat in the study, locked until the transaction ends. Create it if it does not exist.

    A new seat gets its orders drawn. `seat.dose_s` is the person's exposure today, in seconds.
    """
    values = {"study": study.pk, "person": person.pk, "day": days.day_of(person, timezone.now())}
    row = fetch_one(SEAT_LOCKED, values)
    if row is None:
        orders = {
            "guideline_read": study.guideline_version,  # people read the first version together with the consent
            "question_order": draws.question_order(study, person.pk),
            "tag_order": draws.tag_order(study, person.pk),
        }
        Seat.objects.bulk_create([Seat(study=study, person=person, **orders)], ignore_conflicts=True)
        row = fetch_one(SEAT_LOCKED, values)
    assert row is not None  # noqa: S101 - seats are never deleted
    seat = SEAT.instance(row)
    seat.dose_s = row[-1] or 0.0
    return seat


def look_back_soon(seat: Seat) -> None:
    """Let the person's next lease look back first, because a pair before their place may be free for them again."""
    seat.positions["looked_back_at"] = 0
    seat.save(update_fields=["positions"])
