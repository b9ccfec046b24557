"""Durations in words. Pages, e-mails and commands all use this wording."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

SECOND, MINUTE, HOUR = 1, 60, 3600


def in_words(seconds: float, *, to: int = SECOND) -> str:
    """Return a duration such as “1 hour 20 minutes”, rounded to seconds, or to minutes or hours if `to` says so.

    Below ten seconds the result has tenths. A duration that is rounded to zero is “less than a minute”, and zero itself
    is “0 minutes”. `static/js/page/times.js` does the same for whole seconds in scripts.
    """
    tenths = round(seconds, 1)
    if to == SECOND and 0 < tenths < 10 and tenths % 1:
        return ngettext("%(n)s second", "%(n)s seconds", 2) % {"n": f"{tenths:g}"}
    rounded = round(seconds / to) * to
    if seconds > 0 and not rounded:
        below = {SECOND: _("less than a second"), MINUTE: _("less than a minute"), HOUR: _("less than an hour")}
        return below[to]
    hours, rest = divmod(rounded, HOUR)
    minutes, left = divmod(rest, MINUTE)
    parts = [
        ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours} if hours else "",
        ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes} if minutes or not rounded else "",
        ngettext("%(n)s second", "%(n)s seconds", left) % {"n": left} if left else "",
    ]
    return " ".join(part for part in parts if part)
