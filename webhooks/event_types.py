"""The types of events that can be sent. Each app registers its own in `AppConfig.ready()`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from webhooks.models import LONGEST_TYPE


@dataclass(frozen=True, slots=True)
class EventType:
    """A type of event: its key, such as `lot.accepted`, its name for people, and an example of its `data`.

    `data` has keys and numbers with which a program asks the API for more. It never has a person's name or a text that
    somebody wrote, because it leaves the installation.
    """

    key: str
    label: Promise
    example: Mapping[str, Any]


#: By key, in the order in which the apps registered them.
types: dict[str, EventType] = {}

#: Sent only on request. It reaches an endpoint whichever events that one gets.
TEST = EventType("webhook.test", _("Test event"), {"study": "first-study"})


def register(*new: EventType) -> None:
    """Add types of events. Raise ValueError for a key that is too long."""
    for one in new:
        if len(one.key) > LONGEST_TYPE:
            raise ValueError(f"The key {one.key!r} is longer than {LONGEST_TYPE} characters.")
        types[one.key] = one


def choices() -> dict[str, EventType]:
    """Return the types that an endpoint can get, by key."""
    return {key: one for key, one in types.items() if key != TEST.key}
