"""What a study lacks before it can ask for qualification, and who needs a decision."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from qualification import deciding, sets
from studies.models import Study
from studies.notices import Lack
from studies.people_panels import Panel


def lacking_for_switch(study: Study, value: Any) -> str:
    """Return why the study cannot ask for qualification, or an empty string."""
    if not value or sets.has_published_test(study):
        return ""
    return _(
        "“Qualified people only” needs a published test, so nothing was saved. Publish a test on the page "
        "Qualification."
    )


def no_test(study: Study) -> Lack | None:
    """Return what is missing if the study asks for qualification without a test. Settings may be copied without one."""
    if not study.qualification_required or sets.has_published_test(study):
        return None
    link = (_("Make a test"), reverse("qualification:overview", args=[study.slug]))
    return Lack(_("Only qualified people get pairs, but no test is published. Nobody can qualify."), link)


def used_all_attempts(study: Study) -> Panel | None:
    """Return the people who failed all attempts, for the list of a study's people."""
    people = deciding.used_all_attempts(study)
    if not people:
        return None
    words = ngettext(
        "%(n)s person has used all attempts at the test, and cannot work until somebody decides.",
        "%(n)s people have used all attempts at the test, and cannot work until somebody decides.",
        len(people),
    ) % {"n": len(people)}
    links = [(one.username, reverse("qualification:person", args=[study.slug, one.pk])) for one in people]
    return Panel(words, links)
