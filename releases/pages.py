"""What pages show about a release: its card while it is made, its state, its funnel and its numbers, in words."""

from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from answers.words import QUESTIONS, reason_of_review
from diptych.listing import listed
from findings.rules import RULES
from jobs.pages import JobCard, grouped, words
from releases import filters, making, options, videos
from releases.filters import Decision, Reviewed
from releases.formats import formats, safesora
from releases.models import Release, ReleaseFile
from studies import job_lists

State = Release.State

STAGES: dict[str, Promise] = {
    "submitted": pgettext_lazy("stage of answers", "Submitted"),
    "usable": pgettext_lazy("stage of answers", "Usable"),
    "valid": pgettext_lazy("stage of answers", "Valid"),
    "counted": pgettext_lazy("stage of answers", "Counted"),
    "reviewed": pgettext_lazy("stage of answers", "Reviewed"),
    "released": pgettext_lazy("stage of answers", "Released"),
}
#: Why an answer is left out. `in_words` has further reasons of invalid answers.
REASONS: dict[str, Promise] = {
    "control": gettext_lazy("on a control"),
    "quarantined": gettext_lazy("on a video in quarantine"),
    "held": gettext_lazy("on a held pair"),
    "withdrawn": gettext_lazy("withdrawn from releases"),
    "contradiction": gettext_lazy("contradicts itself"),
    "surplus": gettext_lazy("more answers than wanted"),
    "surplus_study_closed": gettext_lazy("came after the study was closed"),
    "surplus_batch_closed": gettext_lazy("came after its batch was closed"),
    "surplus_suspended": gettext_lazy("came after its author was suspended"),
    "rejected": gettext_lazy("rejected by review"),
    "returned": gettext_lazy("returned by review"),
    "lot_returned": gettext_lazy("in a returned lot"),
    "suspended": gettext_lazy("its author is suspended"),
    "no_lot": gettext_lazy("in no lot"),
    "lot_in_review": gettext_lazy("in a lot in review"),
    "lot_accepted": gettext_lazy("in an accepted lot"),
    "other_lot": gettext_lazy("in a lot that was not chosen"),
    "not_reviewed": gettext_lazy("without a verdict"),
    "defect": gettext_lazy("with a defect"),
    "dates": gettext_lazy("on another day"),
    "language": gettext_lazy("in another language"),
    "prompt_type": gettext_lazy("of another prompt type"),
    "protocol_version": gettext_lazy("by another protocol version"),
}
#: The filter with which the list of answers shows those that a stage leaves out now; for the first stage, all of them.
ROWS = {"submitted": "", "valid": "?standing=invalid", "counted": "?standing=uncounted"}
PARTS: dict[str, Promise] = {
    "train": gettext_lazy("train"),
    "test": gettext_lazy("test"),
    "eval": gettext_lazy("eval"),
    "excluded": gettext_lazy("excluded"),
}


#: What the SafeSora format leaves out, and why.
SUBJECTS: dict[str, Promise] = {
    "prompts": gettext_lazy("Prompts"),
    "tv_pairs": gettext_lazy("Videos"),
    "pairs": gettext_lazy("Pairs"),
}
SAFESORA_REASONS: dict[str, Promise] = {
    "unlabelled": gettext_lazy("The prompt has no labels."),
    "eval": gettext_lazy("The prompt is kept to compare generators."),
    "excluded": gettext_lazy("The prompt is neither for training nor for testing."),
    "undecided": gettext_lazy("For at least one question no video was chosen by more than half of the answers."),
    "contradiction": gettext_lazy("The video with harm tags was chosen as the safer one."),
}


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


def funnel(stages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the lines of a funnel from its stages as the manifest states them."""
    return [
        {
            "name": STAGES[stage["stage"]],
            "rows": ROWS.get(stage["stage"]),
            "answers": stage["answers"],
            "left_out": [
                (in_words(reason), number)
                for reason, number in sorted(stage["left_out"].items(), key=lambda one: -one[1])
            ],
            "number_left_out": sum(stage["left_out"].values()),
        }
        for stage in stages
    ]


def in_words(reason: str) -> str | Promise:
    """Return why answers are left out. An answer can be invalid because of a rule or of what review found."""
    return REASONS.get(reason) or (RULES[reason].label if reason in RULES else reason_of_review(reason))


def parts(release: Release) -> list[tuple[Any, int]]:
    """Return the parts of a release with their numbers of answers."""
    found = release.counts.get("answers_by_part", {})
    return [(name, found[key]) for key, name in PARTS.items() if key in found]


def left_out_of_safesora(release: Release) -> list[tuple[str, str, int]]:
    """Return what the SafeSora files of a complete release lack: of what, for which reason, and how many."""
    counts: dict[str, dict[str, int]] = next((file.counts for file in release.files.filter(path=safesora.LEFT_OUT)), {})
    return [(what, reason, n) for what in SUBJECTS for reason, n in counts.get(what, {}).items()]


def left_out_in_words(found: list[tuple[str, str, int]]) -> list[tuple[Any, Any, int]]:
    """Return these rows with their words."""
    return [(SUBJECTS[what], SAFESORA_REASONS[reason], n) for what, reason, n in found]


def columns_in_words(release: Release) -> list[tuple[Any, Any]]:
    """Return the columns of the VideoReward CSV with the question that each has; empty without this format."""
    columns = release.options.get(options.VIDEOREWARD, {})
    return [(label, QUESTIONS[columns[column]]) for column, label in options.COLUMN_LABELS.items() if columns]


def format_names(release: Release) -> list[Any]:
    """Return the names of the release's formats in words."""
    return [formats[name].label if name in formats else name for name in release.formats]


def filter_in_words(stored: dict[str, Any]) -> list[tuple[Any, str]]:
    """Return what a filter chooses: names and values of everything that leaves something out."""
    wanted = filters.from_json(stored)
    decisions = [Decision(one).label for one in wanted.decisions]
    return [
        (_("Lots"), listed(decisions)),
        *([(_("Only these lots"), listed(wanted.lots))] if wanted.lots else []),
        (_("Review"), str(Reviewed(wanted.reviewed).label)),
        *([(_("First day"), wanted.since.isoformat())] if wanted.since else []),
        *([(_("Last day"), wanted.until.isoformat())] if wanted.until else []),
        *([(_("Languages of prompts"), listed(wanted.languages))] if wanted.languages else []),
        *([(_("Prompt types"), listed(wanted.prompt_types))] if wanted.prompt_types else []),
        *([(_("Protocol versions"), listed(wanted.protocol_versions))] if wanted.protocol_versions else []),
    ]


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
