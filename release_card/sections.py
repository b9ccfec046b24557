"""The data card in words: sections with sentences, facts and tables, in the reader's language.

The file `card.md` is made of them in English. The page of a release shows the same sections in English or Chinese.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from jobs.pages import grouped
from release_card import quality_sections, tables
from releases import words
from releases.tables import Table, licences
from studies.templatetags.shares import percent

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Section:
    """One section. A table has a title; `facts` are labels with values."""

    key: str
    title: str
    said: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()
    tables: Sequence[tuple[str, Table]] = field(default_factory=list)


def of_card(numbers: Json) -> list[Section]:
    """Return all sections of the card, from `card.json`."""
    return [
        _what(numbers),
        _how(numbers),
        _people(numbers),
        _composition(numbers),
        _made_with(numbers),
        Section("agreement", _("Agreement"), *quality_sections.agreement(numbers)),
        Section("review", _("Review and defects"), *quality_sections.review(numbers)),
        Section("leaks", _("Leaks between parts"), *quality_sections.leaks(numbers)),
        Section("figures", _("Figures"), *quality_sections.figures(numbers)),
        Section("limits", _("Known limits"), limits(numbers)),
        _licence(numbers),
    ]


def title_of(numbers: Json) -> str:
    """Return the title of the card."""
    return _("%(title)s, release %(n)s") % {"title": numbers["title"], "n": numbers["release"]}


def _what(numbers: Json) -> Section:
    counts, made_of = numbers["counts"], numbers["composition"]
    said = [
        _(
            "This release has preferences of people between two AI-generated videos of one prompt. Helpfulness and "
            "harmlessness are judged separately. Each video of a prompt (a T-V pair) is also tagged with harms."
        )
    ]
    if numbers["collected"]["settings"].get("is_simulated"):
        said.insert(0, _("This release is simulated: a program gave all answers, and no person judged anything."))
    if numbers["parent"]:
        said.append(_("It follows release %(n)s.") % {"n": numbers["parent"]})
    facts = [
        (_("Answers as of"), numbers["frozen_on"]),
        (_("Answers"), grouped(counts["answers"])),
        (_("Pairs"), grouped(made_of["pairs"])),
        (_("T-V pairs"), grouped(made_of["tv_pairs"])),
        (_("Prompts"), grouped(made_of["prompts"])),
        (_("Version of Diptych"), numbers["versions"]["code"]),
    ]
    return Section("what", _("What it is"), said, facts)


def _how(numbers: Json) -> Section:
    settings = numbers["collected"]["settings"]
    said = [
        _("Annotators saw the prompt and both videos side by side. The sides were balanced for each annotator."),
        _("They never saw generators, labels, scores, or what other people answered."),
        _("They could call two videos equal (a tie).") if settings["allow_ties"] else _("Every choice was forced."),
    ]
    sample = percent(settings["sample_share"])
    facts = [
        (_("Answers wanted for a pair"), str(settings["overlap"])),
        (
            _("Random sample"),
            _("%(share)s of new pairs, with %(n)s answers each") % {"share": sample, "n": settings["sample_overlap"]},
        ),
        *words.filter_in_words(numbers["filter"]),
        *_guidelines(numbers),
    ]
    return Section(
        "how", _("How it was collected"), said, facts, [(_("From submitted to released"), tables.funnel(numbers))]
    )


def _guidelines(numbers: Json) -> list[tuple[str, str]]:
    files = [one["path"] for one in numbers["guidelines"]]
    return [(_("Guideline"), ", ".join(files) or _("not part of this release"))]


def _people(numbers: Json) -> Section:
    people, settings = numbers["people"], numbers["collected"]["settings"]
    number = people["annotators"]
    who = _("fewer than 5, so nothing more is stated about them") if number is None else grouped(number)
    facts = [
        (_("Annotators"), who),
        (_("Active working time in hours"), grouped(round(numbers["work"]["hours"]))),
        (_("Pay"), settings["pay_basis"] or _("not recorded")),
        (_("Employer of the annotators"), settings["vendor"] or _("not recorded")),
        (_("Ethics approval"), settings["ethics_id"] or _("not recorded")),
    ]
    said = [
        _(
            "Before their first pair, annotators agreed to a consent text that names the harms they may see. They "
            "could refuse each harm, and skip any pair."
        ),
        _("Groups of fewer than 5 people are not shown."),
    ]
    shown = [(_("Harms that annotators refused to see"), tables.opt_outs(numbers))] if number else []
    return Section("people", _("Who annotated"), said, facts, shown + tables.demographics(numbers))


def _composition(numbers: Json) -> Section:
    made_of = numbers["composition"]
    safe = made_of["safe"]
    facts = [
        (
            _("Words in a prompt"),
            _("%(mean)s on average, half have at most %(median)s, from %(least)s to %(most)s") % made_of["words"],
        ),
        (_("Videos of a prompt, on average"), str(made_of["videos_a_prompt"]["mean"])),
        (_("Safe T-V pairs"), tables.of(safe, made_of["judged"])),
    ]
    shown = [
        (_("Prompts by type and source"), tables.prompts(numbers)),
        (_("By part"), tables.parts(numbers)),
        (_("Prompts by number of videos"), tables.up_to(made_of["videos_a_prompt"], _("Videos"), _("Prompts"))),
        (_("Pairs by number of answers"), tables.up_to(made_of["answers_a_pair"], _("Answers"), _("Pairs"))),
        (_("Languages of prompts"), tables.named(made_of["languages"].items(), [_("Language"), _("Prompts")])),
    ]
    said = [
        _(r"Words are counted by the expression \b\w+\b. A T-V pair is safe if no harm tag is left after counting.")
    ]
    return Section("composition", _("Composition"), said, facts, shown)


def _made_with(numbers: Json) -> Section:
    made_of = numbers["composition"]
    facts = [(_("T-V pairs made from a refined text"), tables.of(made_of["refined"], made_of["tv_pairs"]))]
    shown = [
        (
            _("T-V pairs by generator"),
            tables.named(made_of["generators"], [_("Generator"), _("Version"), _("T-V pairs")]),
        )
    ]
    if made_of["refiners"]:
        shown.append((_("T-V pairs by refiner"), tables.named(made_of["refiners"], [_("Refiner"), _("T-V pairs")])))
    return Section("generators", _("Generators and refiners"), (), facts, shown)


def limits(numbers: Json) -> list[str]:
    """Return what users of the release should know before they draw conclusions."""
    agreement, number = numbers["agreement"], numbers["counts"]["answers"]
    found = [
        _("Harm is judged for a prompt together with its video. A video can be harmless with another prompt."),
        _("Labels of prompts are those of a model or of the source, not of annotators."),
        _(
            "Annotators who refused a harm judged none of its pairs. So judgements of harm come from those who "
            "accepted."
        ),
    ]
    if agreement is None:
        found.append(_("No pair of the random sample has two answers, so nothing is known about agreement."))
    if not numbers["figures"]["harm"]:
        found.append(_("Generators are not compared, because no pair has videos of two named generators."))
    lots = numbers["collected"]["lots"]
    if not any(lot["state"] == "accepted" for lot in lots):
        found.append(_("No lot of this release was accepted by review."))
    if number < 1000:
        found.append(
            ngettext(
                "It has only %(n)s answer. Small differences mean nothing.",
                "It has only %(n)s answers. Small differences mean nothing.",
                number,
            )
            % {"n": grouped(number)}
        )
    return found


def _licence(numbers: Json) -> Section:
    facts = [(_("Licence"), numbers["licence"])]
    if numbers["licence_reason"]:
        facts.append((_("Why it may have this licence"), numbers["licence_reason"]))
    if numbers["terms"]:
        facts.append((_("Terms"), numbers["terms"]))
    said = [
        _("CITATION.cff says how to cite this release."),
        _("Prompts and videos keep the licences of their sources:"),
    ]
    shown = [(_("Licences of prompts and videos"), licences(numbers["collected"]["licences"]))]
    return Section("licence", _("Licence and citation"), said, facts, shown)
