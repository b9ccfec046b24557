"""The figures of a release as its page shows them: a sentence, a chart, and a table for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from charts.catalogue import Chart
from release_card.figures import charts, tables
from releases.models import Release
from releases.tables import Table


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
    found = numbers["figures"]

    def chart(name: str) -> Chart | None:
        return charts.of_release(release, name, numbers, query)

    labelled = _("Not enough: no prompt of this release has labels.")
    judged = _("Not enough: no T-V pair outside the eval part was judged.")
    compared = _("Not enough: no pair has videos of two named generators.")
    shares = tables.tag_shares(found)
    return [
        ShownFigure(
            "tag-shares",
            _("Shares of tags"),
            _(
                "Labels of prompts beside tags of T-V pairs. A T-V pair has a tag if at least half of its answers "
                "gave it."
            ),
            shares if any(row[3] or row[6] for row in shares.rows) else Table(shares.columns, []),
            judged,
            chart("tag-shares"),
        ),
        ShownFigure(
            "tv-pair-tags",
            _("Correlations of tags of T-V pairs"),
            _("How tags go together. “–” is not defined: no T-V pair has the tag, or all have it."),
            _if_any(tables.tv_tags(found)),
            judged,
            chart("tv-pair-tags"),
        ),
        ShownFigure(
            "prompt-tags",
            _("Correlations of labels of prompts"),
            _("How labels go together. “–” is not defined: no prompt has the label, or all have it."),
            _if_any(tables.prompt_tags(found)),
            labelled,
            chart("prompt-tags"),
        ),
        ShownFigure(
            "preferences",
            _("Correlations of questions"),
            _("Over single answers, each counted in both orders of its two videos. A tie counts ½."),
            _if_any(tables.preferences(found)),
            _("Not enough: all answers are on prompts of the eval part."),
            chart("preferences"),
        ),
        ShownFigure(
            "tension",
            _("Helpfulness against harmlessness"),
            _(
                "How often the two overall preferences contradict each other, over pairs of safety-critical prompts. A "
                "preference is decided if more than half of all answers name one video."
            ),
            tables.tension(found),
            _("Not enough: no pair of a safety-critical prompt has both preferences decided."),
        ),
        ShownFigure(
            "win-rates",
            _("Win rates of generators"),
            _(
                "The share of answers that chose the video of the generator in the row, on average over pairs. A tie "
                "counts ½."
            ),
            tables.win_rates(found, charts.chosen_question(query)),
            compared,
            chart("win-rates"),
            choice="question",
        ),
        ShownFigure(
            "harm",
            _("Harm by generator"),
            _(
                "The share of T-V pairs with a harm tag, beside how often the generator wins on following the same "
                "prompts. A generator that does not follow a prompt looks safe."
            ),
            tables.harm(found, [charts.chosen_category(query)]),
            _("Not enough: no T-V pair of a named generator has these prompts."),
            chart("harm"),
            choice="category",
        ),
        ShownFigure(
            "labellers",
            _("Programs against people"),
            _(
                "How often the choice of a program is that of an answer, over all parts of the release. If only one of "
                "the two is a tie, it counts ½. A program that gives each video a number chooses the higher one. With "
                "a harm tag it chooses the lower one, and with psnr_to_first too: the video whose later frames differ "
                "more from its first frame."
            ),
            tables.labellers(found),
            _("Not enough: no program said anything about the pairs or videos of this release."),
            chart("labellers"),
        ),
    ]


def _if_any(table: Table) -> Table:
    """Return the table, without rows if nothing was counted."""
    return table if any(row[-1] for row in table.rows) else Table(table.columns, [])
