"""What a person has to do before they get pairs, such as to consent. Higher apps add it in `ready()`."""

from collections.abc import Callable

from accounts.models import User
from studies.models import Study

#: Functions that return the address of the page on which the person does it, or None if they need not. The lower app's
#: step comes first.
first_steps: list[Callable[[User, Study], str | None]] = []


def first_step(person: User, study: Study) -> str | None:
    """Return the address of the page that comes before the workspace, or None."""
    return next((address for step in first_steps if (address := step(person, study))), None)
