"""The figures of a release as its page shows them: a sentence, a chart, and a table for each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from charts.catalogue import Chart
from release_card.figures import charts, tables
from releases.models import Release
from releases.tables import Table

#: Gives the chart of a figure by its name.
Charts = Callable[[str], Chart | None]


@dataclass(frozen=True, slots=True)
class ShownFigure:
    """One figure. `empty` says what is missing if the table has no rows. `choice` names what the address chooses."""

    name: str
    title: str
    about: str
    table: Table
    empty: str
    chart: Chart | None = None
    choice: str = ""


def categories(numbers: Mapping[str, Any]) -> list[tuple[str, str | Promise]]:
    """Return the groups of prompts for which harm was counted, with their words."""
    found = {one["category"] for one in numbers["figures"]["harm"]}
    return [(key, word) for key, word in _ordered() if key in found]


def _ordered() -> list[tuple[str, str | Promise]]:
    words = tables.category_words()
    first = ("all", "safety_critical")
    return [(key, words[key]) for key in (*first, *(tables.HARM_WORDS))]


def of_release(release: Release, numbers: Mapping[str, Any], query: Mapping[str, str]) -> list[ShownFigure]:
    """Return all figures, in the order of the page."""

    def chart(name: str) -> Chart | None:
        return charts.of_release(release, name, numbers, query)

    found = numbers["figures"]
    return [*_of_tags(found, chart), *_of_answers(found, chart), *_of_generators(found, chart, query)]


def _of_tags(found: Mapping[str, Any], chart: Charts) -> list[ShownFigure]:
    labelled = _("Not enough data: no prompt of this release has labels.")
    judged = _("Not enough data: no T-V pair outside the evaluation part (eval) was judged.")
    shares = tables.tag_shares(found)
    return [
        ShownFigure(
            "tag-shares",
            _("Shares of tags"),
            _(
                "How often each harm tag was given: as a label of a prompt, and as a tag of a T-V pair. A T-V pair has"
                " a tag if at least half of its answers gave it."
            ),
            shares if any(row[3] or row[6] for row in shares.rows) else Table(shares.columns, []),
            judged,
            chart("tag-shares"),
        ),
        ShownFigure(
            "tv-pair-tags",
            _("Correlations between tags of T-V pairs"),
            _(
                "How strongly two tags occur together, from −1 to 1. “–” means not defined: no T-V pair has one of the"
                " two tags, or all have it."
            ),
            _if_any(tables.tv_tags(found)),
            judged,
            chart("tv-pair-tags"),
        ),
        ShownFigure(
            "prompt-tags",
            _("Correlations between prompt labels"),
            _(
                "How strongly two labels occur together, from −1 to 1. “–” means not defined: no prompt has one of the"
                " two labels, or all have it."
            ),
            _if_any(tables.prompt_tags(found)),
            labelled,
            chart("prompt-tags"),
        ),
    ]


def _of_answers(found: Mapping[str, Any], chart: Charts) -> list[ShownFigure]:
    return [
        ShownFigure(
            "preferences",
            _("Correlations between questions"),
            _(
                "How similar the choices on two questions are, from −1 to 1. Each answer counts by itself, and twice: "
                "once with its two videos exchanged. So it does not matter which video was on the left."
            ),
            _if_any(tables.preferences(found)),
            _("Not enough data: all answers are on prompts of the evaluation part (eval)."),
            chart("preferences"),
        ),
        ShownFigure(
            "tension",
            _("Helpfulness versus harmlessness"),
            _(
                "How often the more helpful video is not the safer one, among pairs of safety-critical prompts with "
                "both overall preferences decided. A preference is decided if more than half of all answers name one "
                "video."
            ),
            tables.tension(found),
            _("Not enough data: no pair of a safety-critical prompt has both preferences decided."),
        ),
    ]


def _of_generators(found: Mapping[str, Any], chart: Charts, query: Mapping[str, str]) -> list[ShownFigure]:
    """Return the figures that compare generators, and programs with people."""
    return [
        ShownFigure(
            "win-rates",
            _("Win rates of generators"),
            _(
                "Of the answers that compare two generators, the share that chose the video of the generator in the "
                "row. A tie counts ½, and each pair counts the same."
            ),
            tables.win_rates(found, charts.chosen_question(query)),
            _("Not enough data: no pair has videos of two named generators."),
            chart("win-rates"),
            choice="question",
        ),
        ShownFigure(
            "harm",
            _("Harm by generator"),
            _(
                "The share of T-V pairs with a harm tag, and how often the generator wins on following the same "
                "prompts. Read both together: a generator that ignores a harmful prompt looks safe."
            ),
            tables.harm(found, [charts.chosen_category(query)]),
            _("Not enough data: no T-V pair of a named generator has these prompts."),
            chart("harm"),
            choice="category",
        ),
        ShownFigure(
            "labellers",
            _("Programs compared with people"),
            _(
                "How often a program and a person chose the same video, over all answers of the release. If only one "
                "of them chose a tie, it counts ½. If a program gives each video a number, the video with the higher "
                "number counts as its choice. For harm tags and psnr_to_first it is the lower number, which means less "
                "harm, or more change between frames."
            ),
            tables.labellers(found),
            _("Not enough data: no program labelled the pairs or videos of this release."),
            chart("labellers"),
        ),
    ]


def _if_any(table: Table) -> Table:
    """Return the table, without rows if nothing was counted."""
    return table if any(row[-1] for row in table.rows) else Table(table.columns, [])
