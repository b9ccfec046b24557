"""What a release is made from: which answers of a study. The form, the API and the command share this check."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.models import Prompt
from diptych.refusals import BadInput
from releases.review_rows import known_lots
from studies.models import Study


class Decision(TextChoices):
    """What was decided about the last lot whose review froze the answer."""

    ACCEPTED = "accepted", gettext_lazy("accepted lots")
    RETURNED = "returned", gettext_lazy("returned lots")
    IN_REVIEW = "in_review", gettext_lazy("lots in review")
    NONE = "none", gettext_lazy("answers in no lot")


class Reviewed(TextChoices):
    """Which answers by their verdicts."""

    ANY = "any", gettext_lazy("all, reviewed or not")
    REVIEWED = "reviewed", gettext_lazy("only reviewed answers")
    WITHOUT_DEFECT = "without_defect", gettext_lazy("only reviewed answers without a defect")


PROMPT_TYPES = tuple(Prompt.Type.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which answers a release has. An empty tuple or None means that nothing is left out by it.

    The days are those of the current revision in UTC, both included.
    """

    decisions: tuple[str, ...] = (Decision.ACCEPTED.value,)
    lots: tuple[int, ...] = ()
    reviewed: str = Reviewed.ANY.value
    since: date | None = None
    until: date | None = None
    languages: tuple[str, ...] = ()
    prompt_types: tuple[str, ...] = ()
    protocol_versions: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the filter as the database and the manifest keep it."""
        return {
            "decisions": list(self.decisions),
            "lots": list(self.lots),
            "reviewed": self.reviewed,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "languages": list(self.languages),
            "prompt_types": list(self.prompt_types),
            "protocol_versions": list(self.protocol_versions),
        }


def from_json(stored: Mapping[str, Any]) -> Filter:
    """Return the filter that `as_json` wrote."""
    days: dict[str, Any] = {
        name: date.fromisoformat(stored[name]) if stored[name] else None for name in ("since", "until")
    }
    lists = ("decisions", "lots", "languages", "prompt_types", "protocol_versions")
    chosen: dict[str, Any] = {name: tuple(stored[name]) for name in lists}
    return Filter(reviewed=stored["reviewed"], **days, **chosen)


def checked(study: Study, **given: Any) -> Filter:
    """Return the filter for these values, which have the types of `Filter`. Raise BadInput, with the wrong field.

    Repeated values count once, and lists are sorted, so that the same choice is always the same filter.
    """
    given = {name: value for name, value in given.items() if value not in (None, "")}
    lists = ("decisions", "lots", "languages", "prompt_types", "protocol_versions")
    given |= {name: tuple(sorted(set(given[name]))) for name in lists if name in given}
    wanted = Filter(**given)
    _among("decisions", wanted.decisions, Decision.values)
    if not wanted.decisions:
        raise BadInput(_("Choose at least one kind of lots."), field="decisions")
    _among("reviewed", [wanted.reviewed], Reviewed.values)
    _among("prompt_types", wanted.prompt_types, PROMPT_TYPES)
    _days(wanted)
    _among("lots", wanted.lots, known_lots(study, wanted.lots))
    if wanted.languages:
        _among("languages", wanted.languages, languages_of(study))
    if wrong := [one for one in wanted.protocol_versions if not 1 <= one <= study.protocol_version]:
        _refuse("protocol_versions", wrong)
    return wanted


def languages_of(study: Study) -> list[str]:
    """Return the languages of the study's prompts, sorted."""
    found = Prompt.objects.filter(study=study).order_by("language").values_list("language", flat=True)
    return list(found.distinct())


def _days(wanted: Filter) -> None:
    for name, day in (("since", wanted.since), ("until", wanted.until)):
        if day and not 2000 <= day.year <= 2100:
            raise BadInput(_("Enter a year from 2000 to 2100."), field=name)
    if wanted.since and wanted.until and wanted.until < wanted.since:
        raise BadInput(_("The last day is before the first. Change one of them."), field="until")


def _among(field: str, chosen: Collection[Any], known: Collection[Any]) -> None:
    if wrong := [one for one in chosen if one not in known]:
        _refuse(field, wrong)


def _refuse(field: str, wrong: Collection[Any]) -> None:
    listed = ", ".join(map(str, wrong))
    raise BadInput(_("This study has no such choice: %(values)s.") % {"values": listed}, field=field)
