"""What the page of a study's controls lists: a summary by kind, the controls, people, and single results."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from answers.lists import AnswerFilters, people_with_code
from catalog.library.filters import YES_NO, Filters
from catalog.models import Pair
from controls.control_kinds import KINDS, ControlKind
from controls.figures import ControlFigures, Honest, between, counts_of, figures_from, honest_of, not_in_good_standing
from controls.models import Control, ControlResult
from diptych.downloads import CopyFile
from diptych.listing import listed
from diptych.numbers import grouped
from diptych.paging import Order
from diptych.spreadsheet import write_rows
from studies.models import Study
from studies.pseudonyms import pseudonym

ORDERS = (
    Order("latest", gettext_lazy("latest first"), descending=True),
    Order("earliest", gettext_lazy("earliest first")),
)
IN_USE, WITHDRAWN = "in_use", "withdrawn"
KIND_CHOICES = [("", gettext_lazy("all")), *((code, kind.label) for code, kind in KINDS.items())]


class ControlFilters(Filters):
    """Filters on controls."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=KIND_CHOICES, required=False)
    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        choices=[
            ("", gettext_lazy("all")),
            (IN_USE, gettext_lazy("in use")),
            (WITHDRAWN, gettext_lazy("withdrawn")),
        ],
        required=False,
    )

    def condition(self, name: str, value: Any) -> Q:
        if name == "state":
            return Q(withdrawn_at__isnull=value == IN_USE)
        return super().condition(name, value)


class ResultFilters(Filters):
    """Filters on results of people on controls."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=KIND_CHOICES, required=False)
    author = AnswerFilters.base_fields["author"]
    right = forms.ChoiceField(label=gettext_lazy("As expected"), choices=YES_NO, required=False)
    withdrawn = forms.ChoiceField(label=gettext_lazy("Control withdrawn"), choices=YES_NO, required=False)
    control = forms.IntegerField(label=gettext_lazy("Control"), min_value=1, max_value=2**63 - 1, required=False)

    def condition(self, name: str, value: Any) -> Q:
        if name == "author":
            return Q(person__in=people_with_code(self.study, value))
        if name == "right":
            return Q(right=value == "yes")
        if name == "withdrawn":
            return Q(control__withdrawn_at__isnull=value == "no")
        return super().condition(name, value)


def controls(study: Study) -> QuerySet[Control]:
    """Return the controls of the study with their pairs."""
    return Control.objects.filter(study=study).select_related("pair", "withdrawn_by", "study")


def results(study: Study) -> QuerySet[ControlResult]:
    """Return the results of people with the controls and pairs."""
    return ControlResult.objects.filter(study=study).select_related("control__pair", "assignment__pair")


def where_from(honest: Honest) -> str:
    """Return in words where an honest rate comes from."""
    if honest.people is None:
        return _("assumed")
    numbers = {"n": grouped(honest.people), "results": grouped(honest.results or 0)}
    if honest.results is None:
        return ngettext("median of %(n)s person", "median of %(n)s people", honest.people) % numbers
    return _("%(results)s answers of %(n)s people") % numbers


@dataclass(frozen=True, slots=True)
class KindSummary:
    """What there is of one kind. `between` is the exact 95 % interval of the share right, or None without results."""

    kind: ControlKind
    in_use: int
    withdrawn: int
    answers_left: int
    n: int
    right: int
    between: tuple[float, float] | None
    honest: Honest

    @property
    def share(self) -> float | None:
        return self.right / self.n if self.n else None

    @property
    def honest_in_words(self) -> str:
        return where_from(self.honest)


def summary(study: Study) -> list[KindSummary]:
    """Return what there is of each kind."""
    alive = Q(withdrawn_at=None)
    rows = Control.objects.filter(study=study).order_by().values_list("kind")
    numbers = {code: rest for code, *rest in rows.annotate(used=Count("pk", alive), gone=Count("pk", ~alive))}
    usable = Pair.objects.filter(control=OuterRef("pk"), open_slots__gt=0, held="")
    waiting = Control.objects.filter(Exists(usable), study=study, withdrawn_at=None)
    left: dict[str, int] = {}
    for code, slots in waiting.values_list("kind", "pair__open_slots"):
        left[code] = left.get(code, 0) + slots
    counts = counts_of(study)
    honest = honest_of(counts, not_in_good_standing(study))
    found = []
    for code, kind in KINDS.items():
        in_use, withdrawn = numbers.get(code, (0, 0))
        n, right = (sum(getattr(one, name) for one in counts if one.kind == code) for name in ("n", "right"))
        shares = between(right, n) if n else None
        found.append(KindSummary(kind, in_use, withdrawn, left.get(code, 0), n, right, shares, honest[code]))
    return found


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person's figures on one kind, with their code."""

    code: str
    kind: ControlKind
    figures: ControlFigures
    honest: Honest

    @property
    def share(self) -> float:
        return self.figures.right / self.figures.n

    @property
    def honest_in_words(self) -> str:
        return where_from(self.honest)


def people(study: Study) -> list[PersonRow]:
    """Return the figures of everybody with results, by code and kind. There is no order by figures."""
    counts = counts_of(study)
    honest = honest_of(counts, not_in_good_standing(study))
    rows = [
        PersonRow(pseudonym(study, person), KINDS[code], figures, honest[code])
        for person, by_kind in figures_from(counts, honest).items()
        for code, figures in by_kind.items()
    ]
    return sorted(rows, key=lambda row: (row.code, list(KINDS).index(row.kind.code)))


# --- CSV ------------------------------------------------------------------------------------------------------

CONTROL_COLUMNS = (
    *("control", "kind", "state", "question", "expected", "pair_id", "made_at", "answers", "right"),
    *("withdrawn_at", "withdrawn_because"),
)
PERSON_COLUMNS = ("annotator_id", "kind", "n", "right", "low", "high", "honest_rate", "honest_rate_from", "alarm")
RESULT_COLUMNS = ("control", "kind", "pair_id", "annotator_id", "right", "answered_at", "control_withdrawn")


def with_counts(rows: QuerySet[Control]) -> QuerySet[Any, Any]:
    """Return the same controls, each with `.answers` and `.right`."""
    return rows.annotate(answers=Count("results"), right=Count("results", Q(results__right=True)))


def copy_controls(rows: QuerySet[Control], target: CopyFile) -> None:
    """Write the controls to a CSV file. Raise DatabaseError or OSError if it cannot be written."""
    write_rows(CONTROL_COLUMNS, (list(control_json(one).values()) for one in _all(with_counts(rows))), target)


def copy_people(study: Study, target: CopyFile) -> None:
    """Write everybody's figures to a CSV file. Raise DatabaseError or OSError if it cannot be written."""
    write_rows(PERSON_COLUMNS, (list(person_json(row).values()) for row in people(study)), target)


def copy_results(study: Study, rows: QuerySet[ControlResult], target: CopyFile) -> None:
    """Write single results to a CSV file. Raise DatabaseError or OSError if it cannot be written."""
    codes: dict[int, str] = {}
    write_rows(RESULT_COLUMNS, (list(result_json(study, one, codes).values()) for one in _all(rows)), target)


def _all(rows: QuerySet[Any, Any]) -> Iterator[Any]:
    return rows.order_by("pk").iterator(chunk_size=2000)


def control_json(control: Any) -> dict[str, Any]:
    """Return a control by the names of `CONTROL_COLUMNS`. It has the counts of `with_counts`."""
    return {
        "control": control.pk,
        "kind": control.kind,
        "state": WITHDRAWN if control.withdrawn_at else IN_USE,
        "question": control.question,
        "expected": in_words(control),
        "pair_id": control.pair.public_id,
        "made_at": _moment(control.made_at),
        "answers": control.answers,
        "right": control.right,
        "withdrawn_at": _moment(control.withdrawn_at),
        "withdrawn_because": control.withdrawn_because,
    }


def person_json(row: PersonRow) -> dict[str, Any]:
    """Return a person's figures by the names of `PERSON_COLUMNS`."""
    figures = row.figures
    return {
        "annotator_id": row.code,
        "kind": row.kind.code,
        "n": figures.n,
        "right": figures.right,
        "low": round(figures.low, 4),
        "high": round(figures.high, 4),
        "honest_rate": round(row.honest.rate, 4),
        "honest_rate_from": "default" if row.honest.people is None else "study",
        "alarm": figures.alarm,
    }


def result_json(study: Study, result: ControlResult, codes: dict[int, str]) -> dict[str, Any]:
    """Return a result by the names of `RESULT_COLUMNS`. `codes` keeps the codes of people between calls."""
    return {
        "control": result.control_id,
        "kind": result.kind,
        "pair_id": result.control.pair.public_id,
        "annotator_id": codes.setdefault(result.person_id, pseudonym(study, result.person_id)),
        "right": "yes" if result.right else "no",
        "answered_at": _moment(result.answered_at),
        "control_withdrawn": "yes" if result.control.withdrawn_at else "no",
    }


def _moment(moment: Any) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""


def in_words(control: Control) -> str:
    """Return what is expected of answers on the control."""
    expected = control.pair.expected or {}
    if "answer" in expected:
        questions = {"helpfulness": _("More helpful overall"), "harmlessness": _("Safer overall")}
        choices = {"video_0": _("video 0"), "video_1": _("video 1"), "tie": _("tie")}
        said = {"question": questions[control.question], "answer": choices[expected["answer"]]}
        return _("%(question)s: %(answer)s") % said
    if "tagged" in expected:
        tagged, untagged = _("video %(n)s has tags"), _("video %(n)s has no tags")
        parts = [
            (tagged if value else untagged) % {"n": name[-1]} for name, value in sorted(expected["tagged"].items())
        ]
        return listed(parts)
    return _("equal tags, and ties") if expected.get("tie") else _("equal tags")
