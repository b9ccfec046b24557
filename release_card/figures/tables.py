"""The table of each figure of a release: for its page, for the data card, and as rows of CSV."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from answers.words import QUESTIONS
from releases.tables import Column, Kind, Table
from studies.harms import HARMS

Json = Mapping[str, Any]
HARM_WORDS = {harm.key: harm for harm in HARMS}
SAFE = "none"


def tag_words() -> dict[str, str | Promise]:
    """Return the words for each harm key, with its code, and for “no tag”."""
    words: dict[str, str | Promise] = {harm.key: f"{harm.code} {harm.label}" for harm in HARMS}
    return words | {SAFE: _("No tag")}


def category_words() -> dict[str, str | Promise]:
    """Return the words for each group of prompts for which harm is counted."""
    return tag_words() | {"all": _("All prompts"), "safety_critical": _("Safety-critical prompts")}


def tag_shares(figures: Json) -> Table:
    """Return how often each tag was given: as a label of prompts, and to T-V pairs (Fig. 1 of the paper)."""
    prompts, tv_pairs = figures["tag_shares"]["prompts"], figures["tag_shares"]["tv_pairs"]

    def row(key: str, of: Callable[[Json], int]) -> list[Any]:
        cells: list[Any] = [key]
        for one in (prompts, tv_pairs):
            cells += [of(one), of(one) / one["n"] if one["n"] else None, one["n"]]
        return cells

    columns = [
        Column("tag", gettext_lazy("Tag"), Kind.TEXT),
        Column("prompts", gettext_lazy("Prompts")),
        Column("share_of_prompts", gettext_lazy("Share of labelled prompts"), Kind.SHARE),
        Column("labelled_prompts", gettext_lazy("Labelled prompts")),
        Column("tv_pairs", gettext_lazy("T-V pairs")),
        Column("share_of_tv_pairs", gettext_lazy("Share of judged T-V pairs"), Kind.SHARE),
        Column("judged_tv_pairs", gettext_lazy("Judged T-V pairs")),
    ]
    rows = [row(key, lambda one, key=key: one["given"][key]) for key in HARM_WORDS]  # type: ignore[misc]  # key is a default
    return Table(columns, [*rows, row(SAFE, lambda one: one[SAFE])], {"tag": tag_words()})


def _correlations(found: Json, words: Mapping[str, str | Promise], first: Any, second: Any) -> Table:
    columns = [
        Column("one", first, Kind.TEXT),
        Column("other", second, Kind.TEXT),
        Column("correlation", gettext_lazy("Correlation"), Kind.NUMBER),
        Column("n", pgettext_lazy("number of units", "n")),
    ]
    rows = [[one, other, value, found["n"]] for one, other, value in found["rows"]]
    return Table(columns, rows, {"one": words, "other": words})


def prompt_tags(figures: Json) -> Table:
    """Return the correlations of the labels of prompts (Fig. 35)."""
    return _correlations(
        figures["tag_correlations"]["prompts"], tag_words(), gettext_lazy("Tag"), gettext_lazy("Other tag")
    )


def tv_tags(figures: Json) -> Table:
    """Return the correlations of the tags of T-V pairs (Figs. 4 and 36)."""
    return _correlations(
        figures["tag_correlations"]["tv_pairs"], tag_words(), gettext_lazy("Tag"), gettext_lazy("Other tag")
    )


def preferences(figures: Json) -> Table:
    """Return the correlations of the six questions over single answers (Fig. 5)."""
    found = figures["preference_correlations"]
    return _correlations(found, QUESTIONS, gettext_lazy("Question"), gettext_lazy("Other question"))


def tension(figures: Json) -> Table:
    """Return how often the two overall preferences contradict each other."""
    found = figures["tension"]
    columns = [
        Column("about", gettext_lazy("Comparisons"), Kind.TEXT),
        Column("tension", gettext_lazy("The more helpful video is the less safe one"), Kind.RATE),
        Column("comparisons", gettext_lazy("Comparisons")),
    ]
    words = {"about": {"safety_critical": _("Safety-critical prompts, both preferences decided")}}
    return Table(columns, [["safety_critical", found, found["n"]]] if found["n"] else [], words)


def win_rates(figures: Json, question: str = "") -> Table:
    """Return how often each generator wins, by question, against each other one and against all others."""
    columns = [
        Column("generator", gettext_lazy("Generator"), Kind.GIVEN),
        Column("against", gettext_lazy("Against"), Kind.GIVEN),
        Column("question", gettext_lazy("Question"), Kind.TEXT),
        Column("win_rate", gettext_lazy("Win rate"), Kind.RATE),
        Column("pairs", gettext_lazy("Pairs")),
    ]
    rows = [
        [one["generator"], one["against"], one["question"], one, one["n"]]
        for one in figures["win_rates"]
        if not question or one["question"] == question
    ]
    return Table(columns, rows, {"question": QUESTIONS, "against": {"": _("all others")}})


def harm(figures: Json, categories: Sequence[str] = ()) -> Table:
    """Return how much of what each generator made is harmful, and how well it follows the same prompts (Fig. 7)."""
    columns = [
        Column("generator", gettext_lazy("Generator"), Kind.GIVEN),
        Column("category", gettext_lazy("Prompts"), Kind.TEXT),
        Column("harmful", gettext_lazy("Harmful share of T-V pairs"), Kind.RATE),
        Column("tv_pairs", gettext_lazy("T-V pairs")),
        Column("following", gettext_lazy("Win rate on following the prompt"), Kind.RATE),
        Column("pairs", gettext_lazy("Pairs")),
    ]
    rows = [
        [
            one["generator"],
            one["category"],
            one["harmful"],
            one["harmful"]["n"],
            one["following"],
            one["following"]["n"],
        ]
        for one in figures["harm"]
        if not categories or one["category"] in categories
    ]
    return Table(columns, rows, {"category": category_words()})


def labellers(figures: Json) -> Table:
    """Return how often each program agrees with people (Fig. 6, table 1, and E.4 of the paper)."""
    columns = [
        Column("labeller", gettext_lazy("Labeller"), Kind.GIVEN),
        Column("version", gettext_lazy("Version"), Kind.GIVEN),
        Column("setting", gettext_lazy("Setting"), Kind.GIVEN),
        Column("label", gettext_lazy("Label"), Kind.GIVEN),
        Column("question", gettext_lazy("People’s question"), Kind.TEXT),
        Column("agreement", gettext_lazy("Agreement"), Kind.RATE),
        Column("answers", gettext_lazy("Answers")),
        Column("refused", gettext_lazy("Pairs without a choice")),
    ]
    rows = [
        [*(one[name] for name in ("labeller", "version", "setting", "name", "question")), one, one["n"], one["refused"]]
        for one in figures["labellers"]
    ]
    return Table(columns, rows, {"question": QUESTIONS})


#: The tables of figures by name, as the addresses of their CSV files have it.
TABLES: dict[str, Callable[[Json], Table]] = {
    "tag-shares": tag_shares,
    "prompt-tags": prompt_tags,
    "tv-pair-tags": tv_tags,
    "preferences": preferences,
    "tension": tension,
    "win-rates": win_rates,
    "harm": harm,
    "labellers": labellers,
}
