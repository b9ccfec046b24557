"""What pages show about a release: the card of its job while it is made, its state, and how it is cited."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from jobs.pages import JobCard, grouped, words
from releases import making
from releases.models import Release
from studies import job_lists

State = Release.State


def card(release: Release) -> JobCard:
    """Return the card of the job that makes a release."""

    def link(name: str) -> str:
        return reverse(f"releases:{name}", args=[release.study.slug, release.number])

    return JobCard(
        **words(release, doing=doing(release), cancel=link("cancel")) | {"how_far": how_far(release)},
        title=_("Release %(n)s") % {"n": release.number},
        about=release.licence,
        meanwhile=_("Annotators can continue in the meantime. You can leave this page."),
        outcome=outcome(release),
        page=link("release"),
        watch=link("progress"),
        cancel_ask=_("Cancel this release…"),
        cancel_label=_("Cancel the release"),
        cancel_about=_("Nothing of it can be downloaded. Its number is not used again."),
    )


def doing(release: Release) -> str:
    """Return what the job does now."""
    if release.stage and release.stage != making.FREEZING:
        return _("Writing %(path)s") % {"path": release.stage}
    return _(making.FREEZING)


def how_far(release: Release) -> str:
    """Return how much of the present file is written; empty while answers are copied, which is one step."""
    if not release.steps_total:
        return ""
    said = {"n": grouped(release.steps), "total": grouped(release.steps_total)}
    return _("%(n)s of %(total)s records") % said


def outcome(release: Release) -> str:
    """Return the outcome in a few words; empty while the release is being made."""
    if release.state == State.DONE:
        return _("%(n)s answers.") % {"n": grouped(release.counts["answers"])}
    return _(release.reason) if release.reason else ""


def state(release: Release, *, is_withdrawn: bool) -> str:
    """Return the state of a release in words: complete, withdrawn, or that of its job."""
    if is_withdrawn:
        return _("withdrawn")
    return pgettext("release", "complete") if release.state == State.DONE else str(release.get_state_display())


def how_to_cite(release: Release) -> str:
    """Return a line with which a paper names the release; empty until it is complete."""
    if release.state != State.DONE or release.frozen_at is None:
        return ""
    title, year = release.about["title"], release.frozen_at.year
    digest = next(file.sha256 for file in release.files.filter(path="manifest.json"))
    return f"{title}. Release {release.number}, {year}. Licence {release.licence}. sha256:{digest}"


JOBS = job_lists.of_rows(Release, card)
