"""What pages show about a release: the card of its job while it is made, its state, and how it is cited."""

from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from answers.words import QUESTIONS
from jobs.pages import JobCard, grouped, words
from releases import making, options, videos
from releases.formats import formats
from releases.models import Release, ReleaseFile
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
        number = release.counts["answers"]
        return ngettext("%(n)s answer.", "%(n)s answers.", number) % {"n": grouped(number)}
    return _(release.reason) if release.reason else ""


def state(release: Release, *, is_withdrawn: bool) -> str:
    """Return the state of a release in words: complete, withdrawn, or that of its job."""
    if is_withdrawn:
        return _("withdrawn")
    return pgettext("release", "complete") if release.state == State.DONE else str(release.get_state_display())


def columns_in_words(release: Release) -> list[tuple[Any, Any]]:
    """Return the columns of the VideoReward CSV with the question that each has; empty without this format."""
    columns = release.options.get(options.VIDEOREWARD, {})
    return [(label, QUESTIONS[columns[column]]) for column, label in options.COLUMN_LABELS.items() if columns]


def format_names(release: Release) -> list[Any]:
    """Return the names of the release's formats in words."""
    return [formats[name].label if name in formats else name for name in release.formats]


def files(release: Release) -> tuple[list[ReleaseFile], int]:
    """Return the files of a complete release, by path, without its single videos. Return also how many these are."""
    single = Q(kind=videos.SINGLE_VIDEOS) & ~Q(path__endswith=".parquet")
    listed = release.files.exclude(single).order_by("path")
    return list(listed), release.files.filter(single).count()


def how_to_cite(release: Release) -> str:
    """Return a line with which a paper names the release; empty until it is complete."""
    if release.state != State.DONE or release.frozen_at is None:
        return ""
    title, year = release.about["title"], release.frozen_at.year
    digest = next(file.sha256 for file in release.files.filter(path="manifest.json"))
    return f"{title}. Release {release.number}, {year}. Licence {release.licence}. sha256:{digest}"


JOBS = job_lists.of_rows(Release, card)
