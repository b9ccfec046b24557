"""The parts of the data card about quality: agreement, review, leaks, and figures."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from answers.words import QUESTIONS
from jobs.pages import grouped
from release_card import tables
from release_card.figures import tables as figure_tables
from releases.tables import Column, Kind, Table
from studies.templatetags.shares import in_words, percent

Json = Mapping[str, Any]
Parts = tuple[list[str], list[tuple[str, str]], list[tuple[str, Table]]]
#: The most lots that the card lists. `card.json` has all.
MOST_LOTS = 50


def agreement(numbers: Json) -> Parts:
    """Return how far people agree: sentences, facts and tables."""
    found = numbers["agreement"]
    if found is None:
        return [_("No pair of the random sample has two answers in this release.")], [], []
    said = [
        _(
            "Measured on first answers to pairs of the random sample. Answers that review rejected are not in the "
            "release, so agreement can look higher here than it was."
        ),
        _(
            "Intervals come from drawing clusters of similar prompts again, at a level of 95 percent. With fewer than "
            "50 clusters, no interval is shown."
        ),
    ]
    facts = [
        (_("Pairs with several answers"), grouped(found["pairs"])),
        (_("Answers to them"), grouped(found["answers"])),
        (_("Similarity of sets of tags (MASI)"), in_words(found["tag_sets"]["masi"]["value"])),
    ]
    return said, facts, [(_("Preferences"), _preferences(found)), (_("Harm tags"), _tags(found))]


def _preferences(found: Json) -> Table:
    columns = [
        Column("question", _("Question"), Kind.TEXT),
        Column("percent", _("Percent agreement"), Kind.RATE),
        Column("alpha", _("Krippendorff’s alpha"), Kind.NUMBER),
        Column("pairs", _("Pairs")),
    ]
    rows = [
        [key, one["percent"] | {"n": one["percent"]["units"]}, one["alpha"]["value"], one["percent"]["units"]]
        for key, one in ((key, found["questions"][key]) for key in QUESTIONS)
    ]
    return Table(columns, rows, {"question": QUESTIONS})


def _tags(found: Json) -> Table:
    columns = [
        Column("tag", _("Tag"), Kind.TEXT),
        Column("given", _("Given")),
        Column("percent", _("Percent agreement"), Kind.RATE),
        Column("alpha", _("Krippendorff’s alpha"), Kind.NUMBER),
        Column("ac1", _("AC1"), Kind.NUMBER),
        Column("positive", _("Positive agreement"), Kind.RATE),
    ]
    rows = [
        [
            *(one["tag"], one["given"], one["percent"] | {"n": one["percent"]["units"]}),
            *(one["alpha"]["value"], one["ac1"]["value"], one["positive"] | {"n": one["positive"]["units"]}),
        ]
        for one in found["tags"]
    ]
    return Table(columns, rows, {"tag": figure_tables.tag_words()})


def review(numbers: Json) -> Parts:
    """Return what review decided, and the rates of defects."""
    lots, pooled = numbers["collected"]["lots"], numbers["collected"]["pooled"]
    work, answers = numbers["work"], numbers["counts"]["answers"]
    facts = [(_("Answers with a verdict of a reviewer"), tables.of(work["reviewed_answers"], answers))]
    if not lots:
        return [_("No answer of this release is in a lot, so no spot check says how many defects it has.")], facts, []
    said = [
        _(
            "A defect is a row that a reviewer calls indefensible under the guideline, and that a second person "
            "confirms. Rates come from spot checks, with exact intervals at a level of 95 percent."
        )
    ]
    states = [one["state"] for one in lots]
    facts.append((_("Accepted lots"), tables.of(states.count("accepted"), len(states))))
    if pooled["lots"] and pooled["released"]:
        facts += [
            (_("Defects in all accepted lots of the study"), _rate(pooled["after"])),
            (_("Defects in what is released of them"), _rate(pooled["released"])),
        ]
    if len(lots) > MOST_LOTS:
        more = len(lots) - MOST_LOTS
        said.append(
            ngettext(
                "The table has the first lots. %(n)s more is in card.json.",
                "The table has the first lots. %(n)s more are in card.json.",
                more,
            )
            % {"n": grouped(more)}
        )
    return said, facts, [(_("Lots"), tables.lots(numbers, MOST_LOTS))]


def _rate(stored: Json | None) -> str:
    figure = tables.rate(stored)
    return Table([], []).word(Column("rate", "", Kind.RATE), figure)


def leaks(numbers: Json) -> Parts:
    """Return whether the train part has something of the test or eval part."""
    found = numbers["leaks"]
    clusters, videos, near = (found[name] for name in ("clusters", "videos", "near"))
    said = [
        _(
            "Near-duplicates of prompts are one cluster, and a cluster is in one part. Texts are near if they share "
            "%(share)s of their pairs of neighbouring words."
        )
        % {"share": percent(found["least_similarity"])}
    ]
    if not found["held_out_prompts"] or not found["train_prompts"]:
        said.append(_("This release has only one of the two parts, so nothing can leak."))
    elif clusters or videos or near:
        said.append(_("Leave what leaks out of training, or do not report results on the test part."))
    else:
        said.append(_("Nothing of the test part was found in the train part."))
    facts = [
        (_("Clusters in both parts"), grouped(clusters)),
        (_("Files of videos in both parts"), grouped(videos)),
        (_("Prompts of the train part near one of the test part"), tables.of(near, found["train_prompts"])),
    ]
    if not found["examples"]:
        return said, facts, []
    examples = Table(
        [
            Column("train", _("prompt_id in train"), Kind.GIVEN),
            Column("test", _("prompt_id in test or eval"), Kind.GIVEN),
        ],
        found["examples"],
    )
    return said, facts, [(_("Prompts near each other"), examples)]


def figures(numbers: Json) -> Parts:
    """Return the main figures as tables. The page of the release and `card.json` have all of them."""
    found = numbers["figures"]
    said = [
        _("Answers on prompts of the eval part only compare generators. They are in no other figure."),
        _("In win rates, each pair counts with the share of its answers, and a tie counts ½."),
    ]
    against_all = [one for one in found["win_rates"] if not one["against"]]
    shown = [
        (_("Shares of tags"), figure_tables.tag_shares(found)),
        (_("Correlations between questions"), figure_tables.preferences(found)),
        (_("Helpfulness versus harmlessness"), figure_tables.tension(found)),
        (_("Win rates of generators against all others"), figure_tables.win_rates({"win_rates": against_all})),
        (_("Harm by generator"), figure_tables.harm(found, ("all", "safety_critical"))),
    ]
    return said, [], [(title, table) for title, table in shown if table.rows]
