"""What higher apps add to a person's home page: duties, and a line about their work in each study."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.functional import Promise

from accounts.models import User
from accounts.preferences import StudySetting
from diptych.database.natural import Natural
from studies.models import Study


@dataclass(frozen=True, slots=True)
class Duty:
    """A task of a person that does not belong to one study."""

    title: str | Promise
    words: str | Promise
    #: Text and address of the link to the page for this task.
    button: str | Promise
    address: str


#: Functions that return a duty of the request's person, or None.
duties: list[Callable[[HttpRequest], Duty | None]] = []


#: By name of the app: a function that returns a line about a person's own work for each of the given studies. The home
#: page shows the lines with the studies.
own_lines: dict[str, Callable[[User, Collection[Study]], Mapping[int, str]]] = {}


def own_lines_of(person: User, studies: Collection[Study]) -> dict[int, list[str]]:
    """Return the lines about the person's own work, by study."""
    found: dict[int, list[str]] = {}
    for lines in own_lines.values():
        for study, line in lines(person, studies).items():
            found.setdefault(study, []).append(line)
    return found


def media_filters_of(person: User) -> list[StudySetting]:
    """Return how each of the person's studies shows possibly harmful videos to people who have chosen nothing."""
    own = Study.objects.of(person.pk).filter(archived_at=None).exclude(state=Study.State.CLOSED)
    return [StudySetting(study.title, study.get_media_filter_display()) for study in own.order_by(Natural("title"))]


def duties_of(request: HttpRequest) -> list[Duty]:
    """Return the duties of the request's person."""
    return [duty for rule in duties if (duty := rule(request))]
