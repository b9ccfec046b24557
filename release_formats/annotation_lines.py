"""A line of `annotations.jsonl` in a release: the fields of the export, with what a release adds and leaves out."""

from exports import records
from releases.models import Release

#: Left out: the identifier of the request, which says nothing about the answer.
LEFT_OUT = {"submission_id"}
#: Written only if the release has the text that people wrote.
TEXTS = {"comment"}
#: Days, unless the release has times.
MOMENTS = {"leased_at", "submitted_at"}
#: What the export does not have, with its SQL.
ADDED = {
    "part": "frozen.part",
    "set": "frozen.prompt_set",
    "cluster": "frozen.cluster",
    "weight": "frozen.weight",
    "weights": "frozen.weights",
    "in_sample": "frozen.in_sample",
    "selection.method": "frozen.selection_method",
    "selection.probability": "frozen.selection_probability",
    "selection.model": "frozen.selection_model",
    "lot": "frozen.lot",
    "lot_state": "frozen.lot_state",
    "reviews": "frozen.reviews",
}
#: The orders of questions and of tags are drawn once for each person. They would show that two codes of different
#: families belong to one person.
PRESENTATION = "annotation.presentation - 'question_order' - 'tag_order'"


def line(release: Release) -> str:
    """Return SQL for a line of this release."""
    fields = {field: records.value(field) for field in records.ORDER if field not in LEFT_OUT}
    fields["presentation"] = PRESENTATION
    if not release.with_comments:
        fields = {field: expression for field, expression in fields.items() if field not in TEXTS}
    if not release.with_times:
        fields |= {field: f"left({fields[field]}, 10)" for field in MOMENTS}
    return records.line(fields | ADDED)
