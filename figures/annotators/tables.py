"""The stored figures of annotators as tables: for the pages, for the API, and as lines of a CSV file.

People stand in the order of their codes, which says nothing about them. There are no ranks and no totals.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from accounts.models import User
from answers.words import QUESTIONS
from diptych.downloads import CopyFile
from diptych.spreadsheet import write_rows
from figures.models import StudyFigures
from studies.models import Study
from studies.pseudonyms import pseudonym

Json = Mapping[str, Any]


def people(study: Study, result: Json, *, with_names: bool) -> list[dict[str, Any]]:
    """Return the figures of each annotator with their code, in the order of codes.

    Args:
        with_names: whether to include user names, for people who may connect them with codes.
    """
    names = dict(User.objects.filter(pk__in=map(int, result["people"])).values_list("pk", "username"))
    rows = [
        {"code": pseudonym(study, int(key)), "person": int(key), "name": names.get(int(key), "") if with_names else ""}
        | figures
        for key, figures in result["people"].items()
    ]
    return sorted(rows, key=lambda row: row["code"])


def person(study: Study, result: Json, code: str, *, with_names: bool) -> dict[str, Any] | None:
    """Return the figures of the annotator with this code, or None if there is no such annotator."""
    return next((row for row in people(study, result, with_names=with_names) if row["code"] == code), None)


def reliability_of(study: Study) -> dict[int, dict[str, float]]:
    """Return the newest reliability of each person on each question and tag, by the key of the person.

    Aggregation and training weigh answers by it. It is empty if nobody has computed the figures yet. A subject is
    missing where there were too few answers.
    """
    found = StudyFigures.objects.filter(study=study, kind=StudyFigures.Kind.ANNOTATORS, state=StudyFigures.State.DONE)
    newest = found.order_by("-pk").first()
    if newest is None:
        return {}
    return {
        int(key): {subject: one["value"] for subject, one in figures["reliability"].items() if one}
        for key, figures in newest.result["people"].items()
    }


def training_reliability(figures: StudyFigures) -> dict[int, dict[str, float]]:
    """Return the reliability of each person on each question, from answers on training prompts only."""
    return {
        int(key): {subject: one["value"] for subject, one in of_person.get("training_reliability", {}).items() if one}
        for key, of_person in figures.result["people"].items()
    }


COLUMNS = ("annotator_id", "figure", "subject", "value", "low", "high", "count", "of")


def copy_as_csv(study: Study, result: Json, target: CopyFile, *, with_names: bool) -> None:
    """Write one line for each person and figure. Raise OSError if the file cannot be written."""
    name = ["username"] if with_names else []
    rows = (
        [row["code"], *([row["name"]] if with_names else []), *line]
        for row in people(study, result, with_names=with_names)
        for line in lines(row)
    )
    write_rows([COLUMNS[0], *name, *COLUMNS[1:]], rows, target)


def lines(row: Json) -> Iterator[list[Any]]:
    """Return the lines of one person, without their code."""
    yield ["answers", "", row["answers"], "", "", "", ""]
    yield ["invalid", "", row["invalid"], "", "", "", ""]
    for name in ("rejected", "tagged", "defects", "first_pass"):
        yield [name, "", *_share(row[name])]
    for name in ("seconds", "times_the_video"):
        yield [name, "", row[name], "", "", "", ""]
    for name in ("left", "blind"):
        for subject, found in row[name].items():
            yield [name, subject, *_share(found)]
    for subject, one in row["reliability"].items():
        if one:
            yield ["reliability", subject, one["value"], "", "", "", one["answers"]]
    for name, value in (row.get("beside_others") or {}).items():
        yield ["beside_others", name, value, "", "", "", ""]
    for week in row["weeks"]:
        yield ["week_answers", week["week"], week["answers"], "", "", "", ""]
        yield ["week_seconds", week["week"], week["seconds"], "", "", "", ""]
        yield ["week_left", week["week"], *_share(week["left"])]
        yield ["week_tagged", week["week"], *_share(week["tagged"])]


def _share(found: Json) -> list[Any]:
    return [found["share"], found["low"], found["high"], found["count"], found["of"]]


def questions() -> list[tuple[str, Any]]:
    """Return the questions with their headings."""
    return list(QUESTIONS.items())
