"""How deliveries are tried again: 11 attempts in about three days, with longer and longer pauses."""

import random
from datetime import timedelta

from django.utils.translation import gettext_noop

from jobs.policy import DATABASE_TROUBLE, Policy
from webhooks.models import Delivery

#: Pauses between attempts, in seconds: 10 s, 1 min, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 20 h.
PAUSES_S = (10, 60, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 72_000)
#: Seconds that one attempt can take at most, with looking up the name.
LONGEST_ATTEMPT_S = 15.0


class NotDelivered(OSError):
    """The receiver did not confirm the event. The text is the sentence of the problem."""


def pause(pauses: int) -> timedelta:
    """Return how long a delivery waits after this many attempts. Up to a tenth of it is random."""
    return timedelta(seconds=PAUSES_S[min(pauses, len(PAUSES_S)) - 1] * random.uniform(0.9, 1.1))  # noqa: S311


POLICY = Policy(
    model=Delivery,
    name="Delivery",
    task="webhooks.tasks.deliver",
    # An attempt is much shorter than this, so a delivery needs no heartbeat.
    abandoned_after=timedelta(seconds=4 * LONGEST_ATTEMPT_S),
    counted=(*DATABASE_TROUBLE, NotDelivered),
    most_attempts=len(PAUSES_S) + 1,
    pause=pause,
    trouble_text=str,
    tried_in_vain="%(trouble)s",
    begun_in_vain=gettext_noop("The worker stopped in each attempt. Tell the operator of this installation."),
)
