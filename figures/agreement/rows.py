"""The pairs behind a figure of agreement: pairs of the random sample with several answers, and how these differ.

A figure is stored, and the list shows the pairs as they are now. The page says which moment each of them is of.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.db import connection
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from answers.lists import AnswerFilters, people_with_code
from answers.words import QUESTIONS
from diptych.downloads import CopyFile
from diptych.spreadsheet import write_rows
from figures.agreement.planned import IN_SAMPLE, PLANNED
from qc.models import LotBatch
from studies.harms import HARMS
from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import MAY_ANNOTATE, allows

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

PAGE = 50
TAGS = "tags"
ALL, EQUAL, DIFFERENT, GIVEN, BOTH, NEITHER = "", "equal", "different", "given", "both", "neither"


#: What the list is about if its address does not say it.
SUBJECT = "helpfulness"


def _subjects() -> list[tuple[str, Any]]:
    """Return all subjects, that of an address without one first: the page shows the first one as chosen."""
    others = [item for item in QUESTIONS.items() if item[0] != SUBJECT]
    return [
        (SUBJECT, QUESTIONS[SUBJECT]),
        *others,
        (TAGS, _("Sets of tags")),
        *((harm.key, harm.label) for harm in HARMS),
    ]


class RowFilters(forms.Form):
    """Which pairs the list has. All of it stands in the address."""

    subject = forms.ChoiceField(label=_("Question or tag"), choices=_subjects, required=False)
    part = forms.ChoiceField(
        label=_("Answers"),
        choices=[
            (ALL, _("all")),
            (EQUAL, _("all equal")),
            (DIFFERENT, _("different")),
            (GIVEN, _("somebody gave the tag")),
            (BOTH, _("two people chose the tag for the same video")),
            (NEITHER, _("two people left the tag out for the same video")),
        ],
        required=False,
    )
    answers = forms.ChoiceField(
        label=_("Validity"), choices=[("", _("invalid ones included")), ("valid", _("only valid ones"))], required=False
    )
    lot = forms.IntegerField(label=_("Lot (0: in no lot)"), min_value=0, max_value=2**31 - 1, required=False)
    language = forms.CharField(label=_("Language"), max_length=35, required=False)
    prompt_type = forms.ChoiceField(
        label=_("Type of prompt"),
        choices=[("", _("all")), ("safety_neutral", _("safety-neutral")), ("safety_critical", _("safety-critical"))],
        required=False,
    )
    protocol_version = forms.IntegerField(label=_("Protocol version"), min_value=1, max_value=2**31 - 1, required=False)
    author = AnswerFilters.base_fields["author"]
    week = forms.DateField(label=_("Week that begins on"), required=False)

    @property
    def about(self) -> str:
        """Return the question, `tags`, or the key of a tag. Call it on a valid form."""
        return self.cleaned_data.get("subject") or SUBJECT


@dataclass(frozen=True, slots=True)
class Row:
    """One pair and its answers to the subject. values: choices, or the tags of both videos, one for each answer."""

    key: int
    pair_id: str
    prompt_id: str
    batch: int
    language: str
    prompt_type: str
    values: list[str]
    equal: bool


_LIST = """
SELECT pair.id, pair.public_id, prompt.public_id, batch.number, prompt.language, prompt.prompt_type,
       given.values, given.different = 1
  FROM catalog_pair pair
  JOIN catalog_prompt prompt ON prompt.id = pair.prompt_id
  JOIN catalog_batch batch ON batch.id = pair.batch_id,
       LATERAL (
           SELECT count(*) AS number, count(DISTINCT {value}) AS different,
                  array_agg({value} ORDER BY mine.id) AS values, max(mine.ended_at) AS last_at{more}
             FROM annotation_assignment mine
             JOIN annotation_standing stands ON stands.assignment_id = mine.id
             JOIN annotation_annotation first ON first.assignment_id = mine.id AND first.revision = 1
            WHERE mine.pair_id = pair.id AND {answers}
       ) given
 WHERE pair.study_id = %(study)s AND pair.id > %(after)s AND given.number > 1 AND {pairs}
 ORDER BY pair.id
"""
_TAG_SETS = (
    "(SELECT coalesce(string_agg(tag, ' ' ORDER BY tag), '') FROM unnest(first.tags_video_0) tag) || ' / ' || "
    "(SELECT coalesce(string_agg(tag, ' ' ORDER BY tag), '') FROM unnest(first.tags_video_1) tag)"
)
_TAG = (
    "CASE WHEN %(tag)s = ANY(first.tags_video_0) THEN 'yes' ELSE 'no' END || ' / ' || "
    "CASE WHEN %(tag)s = ANY(first.tags_video_1) THEN 'yes' ELSE 'no' END"
)
_TAGGED = ", ".join(
    f"count(*) FILTER (WHERE %(tag)s = ANY(first.tags_video_{video})) AS tagged_{video}" for video in (0, 1)
)
#: Conditions by part. Those of a tag hold if one of the two videos has such a pair of answers.
_PARTS = {
    EQUAL: "given.different = 1",
    DIFFERENT: "given.different > 1",
    GIVEN: "given.tagged_0 + given.tagged_1 > 0",
    BOTH: "greatest(given.tagged_0, given.tagged_1) > 1",
    NEITHER: "given.number - least(given.tagged_0, given.tagged_1) > 1",
}

_ANSWERED_BY = (
    "EXISTS (SELECT FROM annotation_assignment own WHERE own.pair_id = pair.id"
    " AND own.person_id = ANY({people}) AND own.state = 'submitted')"
)


def rows(
    study: "WithAnnotations[Study, HasRoles]",
    person: User,
    filters: RowFilters,
    *,
    after: int = 0,
    most: int | None = None,
) -> list[Row]:
    """Return the pairs that match the filters, in the order of pairs.

    People who also annotate in the study see only the pairs that they have answered.

    Args:
        after: key of the pair after which the list begins.
        most: how many pairs to return at most; None for all.
    """
    statement, values = _statement(study, person, filters)
    limit = "" if most is None else " LIMIT %(most)s"
    with connection.cursor() as cursor:
        cursor.execute(statement + limit, values | {"after": after, "most": most})
        return [Row(*row) for row in cursor.fetchall()]


def _statement(
    study: "WithAnnotations[Study, HasRoles]", person: User, filters: RowFilters
) -> tuple[str, dict[str, Any]]:
    chosen, subject = filters.cleaned_data, filters.about
    of_tag = subject not in QUESTIONS and subject != TAGS
    value = _TAG_SETS if subject == TAGS else _TAG if of_tag else f"first.{subject}"
    values: dict[str, Any] = {"study": study.pk, "tag": subject if of_tag else None}
    answers, pairs = [PLANNED], [IN_SAMPLE]
    if chosen["part"] in (EQUAL, DIFFERENT) or (of_tag and chosen["part"]):
        pairs.append(_PARTS[chosen["part"]])
    if chosen["answers"]:
        answers.append("stands.validity = 'valid'")
    if chosen["protocol_version"] is not None:
        answers.append("mine.protocol_version = %(version)s")
        values["version"] = chosen["protocol_version"]
    for name in ("language", "prompt_type"):
        if chosen[name]:
            pairs.append(f"prompt.{name} = %({name})s")
            values[name] = chosen[name]
    if chosen["lot"] is not None:
        pairs.append("pair.batch_id = ANY(%(batches)s)" if chosen["lot"] else "pair.batch_id <> ALL(%(batches)s)")
        values["batches"] = batches_of(study, chosen["lot"])
    if chosen["week"]:
        since = datetime.combine(chosen["week"], datetime.min.time(), UTC)
        pairs.append("given.last_at >= %(since)s AND given.last_at < %(until)s")
        values |= {"since": since, "until": since + timedelta(weeks=1)}
    if chosen["author"]:
        pairs.append(_ANSWERED_BY.format(people="%(authors)s"))
        values["authors"] = people_with_code(study, chosen["author"])
    if allows(study, MAY_ANNOTATE):
        pairs.append(_ANSWERED_BY.format(people="%(viewer)s"))
        values["viewer"] = [person.pk]
    more = f", {_TAGGED}" if of_tag else ""
    statement = _LIST.format(value=value, more=more, answers=" AND ".join(answers), pairs=" AND ".join(pairs))
    return statement, values


def batches_of(study: Study, number: int) -> list[int]:
    """Return the batches whose latest lot has this number. For 0, return all batches that are in a lot."""
    latest = dict(LotBatch.objects.filter(study=study).order_by("lot__number").values_list("batch", "lot__number"))
    return [batch for batch, lot in latest.items() if number in (0, lot)]


COLUMNS = ("pair_id", "prompt_id", "batch", "language", "prompt_type", "subject", "answers", "equal", "values")


def copy_as_csv(study: "WithAnnotations[Study, HasRoles]", person: User, filters: RowFilters, target: CopyFile) -> None:
    """Write all pairs that match the filters to a CSV file. Raise DatabaseError or OSError if that fails."""
    write_rows(COLUMNS, _lines(rows(study, person, filters), filters.about), target)


def _lines(found: list[Row], subject: str) -> Iterator[list[Any]]:
    for row in found:
        yield [
            *(row.pair_id, row.prompt_id, row.batch, row.language, row.prompt_type, subject, len(row.values)),
            *("yes" if row.equal else "no", "; ".join(row.values)),
        ]


def wanted(filters: RowFilters) -> Mapping[str, str]:
    """Return the filters that are in use, as text."""
    return {name: str(value) for name, value in filters.cleaned_data.items() if value not in ("", None)}
