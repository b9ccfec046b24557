"""Time zones of people, their days, and what a change of the time zone does to the running day.

The zone is the browser's. It is stored once at the first sign-in, and the person can change it. Limits count by day,
so a change of the zone never ends a day early if something counts on that day or on the day before. The running day
then goes on until a midnight in the new zone. It is the first midnight that is not before the original end of the
day. See decision 032.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from diptych.refusals import Refused

NIGHT = timedelta(days=1)

#: Functions of a person and the date of their running day that return whether something counts on that date. Apps add
#: theirs in `ready()`.
counted_on: list[Callable[[User, date], bool]] = []


@cache
def known_zones() -> frozenset[str]:
    """Return the names of all time zones. The result is cached, because finding them reads a whole database."""
    return frozenset(available_timezones())


def zone_of(person: User) -> ZoneInfo:
    """Return the person's time zone: UTC where none is stored, or where the stored name is no longer known."""
    try:
        return ZoneInfo(person.time_zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the moment in UTC at which the date begins in the zone."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def day_began(person: User, moment: datetime) -> datetime:
    """Return the moment in UTC at which the date of `moment` began in the person's time zone."""
    zone = zone_of(person)
    return midnight(moment.astimezone(zone).date(), zone)


def day_of(person: User, moment: datetime) -> date:
    """Return the date on which a moment counts for the person."""
    if person.kept_day and kept_until(person, moment):
        return person.kept_day
    return moment.astimezone(zone_of(person)).date()


def end_of_day(person: User, moment: datetime) -> datetime:
    """Return the moment in UTC at which the day that runs at `moment` ends for the person."""
    zone = zone_of(person)
    return kept_until(person, moment) or midnight(moment.astimezone(zone).date() + NIGHT, zone)


def kept_until(person: User, moment: datetime) -> datetime | None:
    """Return when the day ends that a change of the zone keeps running, or None without such a day at `moment`."""
    day, since, least = person.kept_day, person.kept_from, person.kept_until
    if day is None or since is None or least is None or moment < since:
        return None
    zone = zone_of(person)
    following = max(least.astimezone(zone).date(), day + NIGHT)
    end = next(end for end in (midnight(following, zone), midnight(following + NIGHT, zone)) if end >= least)
    return end if moment < end else None


@transaction.atomic
def change_zone(person: User, name: str, now: datetime) -> None:
    """Change the person's time zone. Lock the person's row before, if others may write it at the same time.

    If something counts on the running day or on the day before, the running day continues in the new zone. A further
    change on the same day starts from the end that the day had at first, so that a mistake can be corrected.

    Raises Refused if only an earlier change keeps the day running. Otherwise the day could be prolonged without end.
    """
    day, end, kept = day_of(person, now), end_of_day(person, now), kept_until(person, now)
    if kept is None:
        counts = any(counts_on(person, each) for counts_on in counted_on for each in (day, day - NIGHT))
        person.kept_day, person.kept_from, person.kept_until = (day, now, end) if counts else (None, None, None)
    elif person.kept_until is not None and person.kept_until <= now:
        until = date_format(kept.astimezone(zone_of(person)), "Y-m-d H:i")
        sentence = _("You changed the time zone a short while ago. You can change it again after %(until)s.")
        raise Refused(sentence % {"until": until}, "too_soon")
    person.time_zone = name
    person.save(update_fields=["time_zone", "kept_day", "kept_from", "kept_until"])


@transaction.atomic
def keep_browser_zone(person: User, name: str) -> bool:
    """Store the time zone of the person's browser if none is stored yet. Return whether it was stored.

    A browser may name a zone that is unknown here. Nothing is stored then, and the next sign-in tries again.
    """
    if person.time_zone or name not in known_zones():
        return False
    locked = User.objects.select_for_update(no_key=True).get(pk=person.pk)
    if locked.time_zone:  # another sign-in was faster
        return False
    change_zone(locked, name, timezone.now())
    audit.record("user.time_zone_stored", locked, actor=locked, after={"time_zone": name})
    for field in ("time_zone", "kept_day", "kept_from", "kept_until"):
        setattr(person, field, getattr(locked, field))
    return True
