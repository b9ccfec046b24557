"""What the SafeSora files of a release leave out, and why: a section of the page of the release."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from release_formats import safesora
from releases.models import Release
from releases.page_parts import Section

SUBJECTS: dict[str, Promise] = {
    "prompts": gettext_lazy("Prompts"),
    "tv_pairs": gettext_lazy("Videos"),
    "pairs": gettext_lazy("Pairs"),
}
REASONS: dict[str, Promise] = {
    "unlabelled": gettext_lazy("The prompt has no labels."),
    "eval": gettext_lazy("The prompt is kept to compare generators."),
    "excluded": gettext_lazy("The prompt is neither for training nor for testing."),
    "undecided": gettext_lazy("For at least one question no video was chosen by more than half of the answers."),
    "contradiction": gettext_lazy("The video with harm tags was chosen as the safer one."),
}


def left_out(release: Release) -> list[tuple[str, str, int]]:
    """Return what the SafeSora files of a complete release lack: of what, for which reason, and how many."""
    counts: dict[str, dict[str, int]] = next((file.counts for file in release.files.filter(path=safesora.LEFT_OUT)), {})
    return [(what, reason, n) for what in SUBJECTS for reason, n in counts.get(what, {}).items()]


def in_words(found: list[tuple[str, str, int]]) -> list[tuple[Any, Any, int]]:
    """Return these rows with their words."""
    return [(SUBJECTS[what], REASONS[reason], n) for what, reason, n in found]


def section(release: Release) -> Section | None:
    """Return the section of the page of a complete release, or None if the release has no SafeSora files."""
    if safesora.FORMAT.name not in release.formats:
        return None
    return Section("release_formats/_left_out.html", {"left_out": in_words(left_out(release))})
