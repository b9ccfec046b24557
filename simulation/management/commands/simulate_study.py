"""`manage.py simulate_study`: make a study whose people, pairs and answers are simulated, and whose truth is known."""

import json
import re
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation import draws
from diptych.refusals import Refused
from jobs.progress_bar import Bar
from simulation import driver, falls, review_claims, reviewing, stored
from simulation.claims import claims, planted
from simulation.filling import Filling
from simulation.material import Simulated, make_study
from simulation.people import BREAKS, Person, broken, crowd
from simulation.prompts import HOW_MANY
from simulation.reviewers import Reviewer, broken_staff, staff
from simulation.truth import World, plant

#: The sizes, normally and with --quick.
PEOPLE, PAIRS, OVERLAP = 30, 1_000, 3
ACCURACY, SIDE_BIAS = (0.66, 0.89), 0.1
QUICK_PEOPLE, QUICK_PAIRS = 12, 120
REVIEWERS, RESEARCHERS = 4, 4
#: How often reviewers find a defect. Half of each lot has a secondary review, so that some defects are left.
SKILL, SECONDARY_SHARE = (0.85, 0.97), 0.5
PAIRS_A_LOT, QUICK_PAIRS_A_LOT = 50, 20
#: Pairs of the simulations without a database that show what each broken assumption costs.
PAIRS_OF_FALLS, QUICK_PAIRS_OF_FALLS = 3_000, 1_000
#: The claims of a larger filled study take too long, and too much memory.
MOST_IN_CLAIMS = 200_000


class Command(BaseCommand):
    help = (
        "Make a study in which everything is simulated: people with known skill, bias, speed and tag severity answer "
        "pairs whose better video and tags are known, and reviewers of known skill take the answers through quality "
        "control, lot by lot. All of them use the same functions as real people. The study is named as simulated, its "
        "videos have no files, and it cannot be deleted afterwards."
    )

    #: The claims about reviews, if answers are reviewed.
    reviewed: dict[str, Any] | None = None

    def add_arguments(self, parser: CommandParser) -> None:
        number: dict[str, Any] = {"type": int, "metavar": "N"}
        parser.add_argument("--people", **number, help=f"how many annotators (default: {PEOPLE})")
        parser.add_argument(
            "--reviewers", **number, default=REVIEWERS, help="how many reviewers (default: %(default)s)"
        )
        parser.add_argument(
            "--researchers",
            **number,
            default=RESEARCHERS,
            help="how many researchers, who spot-check and adjudicate (default: %(default)s)",
        )
        parser.add_argument(
            "--skill",
            type=float,
            nargs=2,
            default=SKILL,
            metavar=("LOWEST", "HIGHEST"),
            help="how often reviewers and researchers find a defect (default: 0.85 0.97)",
        )
        parser.add_argument("--without-review", action="store_true", help="leave the answers unreviewed")
        parser.add_argument("--pairs", **number, help=f"how many pairs (default: {PAIRS})")
        parser.add_argument("--overlap", **number, default=OVERLAP, help="answers to each pair (default: %(default)s)")
        parser.add_argument(
            "--accuracy",
            type=float,
            nargs=2,
            default=ACCURACY,
            metavar=("LOWEST", "HIGHEST"),
            help="how often people are right (default: 0.66 0.89)",
        )
        parser.add_argument(
            "--side-bias",
            type=float,
            default=SIDE_BIAS,
            metavar="SHARE",
            help="the largest share of choices that anybody makes by side (default: %(default)s)",
        )
        parser.add_argument("--seed", **number, default=1, help="the same seed gives the same answers (default: 1)")
        parser.add_argument("--slug", metavar="ADDRESS", help="address of the study (default: simulated-SEED)")
        parser.add_argument(
            "--break",
            action="append",
            default=[],
            choices=list(BREAKS),
            dest="breaks",
            help="break an assumption, of annotators and reviewers; you can give several. "
            + "; ".join(f"{key}: {BREAKS[key]}" for key in BREAKS),
            metavar="NAME",
        )
        parser.add_argument(
            "--fill", **number, help="write so many answers by COPY, without serving; --pairs then follows from it"
        )
        parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the planted truth and the claims")
        parser.add_argument(
            "--quick",
            action="store_true",
            help=f"{QUICK_PEOPLE} people and {QUICK_PAIRS} pairs, in less than two minutes",
        )
        parser.add_argument(
            "--allow-production", action="store_true", help="make the study although this is a production installation"
        )

    def handle(self, **options: Any) -> None:
        seed, overlap = options["seed"], options["overlap"]
        usual = (QUICK_PEOPLE, QUICK_PAIRS) if options["quick"] else (PEOPLE, PAIRS)
        people, pairs = (
            options[name] if options[name] is not None else size
            for name, size in zip(("people", "pairs"), usual, strict=True)
        )
        check(options | {"people": people, "pairs": pairs})
        try:
            lowest, highest = options["accuracy"]
            known = crowd(people, seed, accuracies=(lowest, highest), side_bias=options["side_bias"])
            annotators = broken(known, options["breaks"], seed)
            slug = options["slug"] or f"simulated-{seed}"
            teams = {name: options[name] for name in ("reviewers", "researchers")}
            judges = self._judges(teams, seed, options)
            simulated = make_study(slug, seed, people=people, overlap=overlap, secondary_share=SECONDARY_SHARE, **teams)
        except (Refused, ValueError) as trouble:
            raise CommandError(str(trouble)) from trouble
        began = time.monotonic()
        if options["fill"]:
            pairs = self._fill(simulated, annotators, seed, options["fill"], overlap)
        else:
            self._work(simulated, annotators, seed, pairs, judges, options)
        took = time.monotonic() - began
        self._report(simulated, plant(pairs, seed), annotators, took, options)

    def _judges(self, teams: dict[str, int], seed: int, options: dict[str, Any]) -> list[Reviewer]:
        """Return the reviewers, and then the researchers. Raise ValueError for a skill that is no share."""
        lowest, highest = options["skill"]
        return broken_staff(staff(sum(teams.values()), seed, skills=(lowest, highest)), options["breaks"])

    def _work(
        self,
        simulated: Simulated,
        people: list[Person],
        seed: int,
        pairs: int,
        judges: list[Reviewer],
        options: dict[str, Any],
    ) -> None:
        """Let people answer all pairs. Keep the claims about their reviews in `self.reviewed`, if there are any."""
        pairs_a_lot = QUICK_PAIRS_A_LOT if options["quick"] else PAIRS_A_LOT
        work = driver.begin(simulated, plant(pairs, seed), people, seed, pairs_a_lot)
        bar = Bar()
        try:
            bar.begin("Answering", pairs * simulated.study.overlap)
            with draws.named(simulated.names):
                work.do(bar.advance)
            bar.end()
            if options["without_review"]:
                return
            teams = len(simulated.reviewers)
            reviews = reviewing.begin(simulated, work, judges[:teams], judges[teams:])
            bar.begin("Reviewing lots", -(-pairs // pairs_a_lot))
            reviews.do(bar.advance, rounds=2 if options["quick"] else reviewing.MOST_ROUNDS)
        finally:
            bar.end()
        self.reviewed = review_claims.review_claims(reviews)

    def _fill(self, simulated: Simulated, people: list[Person], seed: int, answers: int, overlap: int) -> int:
        filling = Filling(simulated, people, seed, answers, overlap)
        bar = Bar()
        try:
            bar.begin("Filling", answers)
            filling.fill(bar.advance)
        finally:
            bar.end()
        return filling.pairs

    def _report(
        self, simulated: Simulated, world: World, people: list[Person], took: float, options: dict[str, Any]
    ) -> None:
        answers = options["fill"] or len(world) * options["overlap"]
        print(f"Study “{simulated.study.slug}”: {answers:,} answers to {len(world):,} pairs by {len(people)} people")
        print(f"  {took:.1f} s, {answers / took:,.0f} answers/s")
        if answers > MOST_IN_CLAIMS:
            print(f"  No claims: they are made for at most {MOST_IN_CLAIMS:,} answers.")
            return
        found = claims(world, people, stored.answers(simulated)) | {"seconds": round(took, 2)}
        if self.reviewed:
            pairs = QUICK_PAIRS_OF_FALLS if options["quick"] else PAIRS_OF_FALLS
            found |= {"review": self.reviewed, "breaks": falls.falls(options["seed"], pairs)}
        for line in summary(found):
            print(f"  {line}")
        if options["json"]:
            names = ("seed", "overlap", "accuracy", "side_bias", "skill", "breaks", "fill", "quick")
            truth = planted(world, people, stored.pair_ids(simulated.study))
            told = {"study": simulated.study.slug, "options": {name: options[name] for name in names}}
            text = json.dumps(told | {"planted": truth, "claims": found}, indent=1, ensure_ascii=False)
            options["json"].write_text(text + "\n")
            print(f"  Planted truth and claims: {options['json']}")


def check(options: dict[str, Any]) -> None:
    """Raise CommandError for options with which no study can be made, before anything is written."""
    people, pairs, overlap = options["people"], options["pairs"], options["overlap"]
    if settings.PRODUCTION and not options["allow_production"]:
        raise CommandError(
            "This is a production installation, and a simulated study cannot be deleted. Run the command in a demo or "
            "on a test server, or add --allow-production."
        )
    for name in ("people", "pairs", "overlap", "reviewers", "researchers"):
        if options[name] < 1:
            raise CommandError(f"--{name} is {options[name]}. Give a number from 1 on.")
    if options["fill"] is not None and options["fill"] < 1:
        raise CommandError(f"--fill is {options['fill']}. Give a number from 1 on, or leave it out.")
    if overlap > people:
        raise CommandError(
            f"--overlap {overlap} wants answers of {overlap} people to each pair, and there are {people}. Give more "
            "people, or less overlap."
        )
    most = -(-options["fill"] // overlap) if options["fill"] else pairs
    if most > HOW_MANY:
        raise CommandError(f"{most:,} pairs need as many prompts, and there are at most {HOW_MANY:,}. Ask for less.")
    if options["slug"] and not re.fullmatch(r"[a-z0-9][a-z0-9-]{,39}", options["slug"]):
        raise CommandError(
            f"The address “{options['slug']}” cannot be used. Give --slug up to 40 small letters, digits and hyphens."
        )
    folder = options["json"].parent if options["json"] else None
    if folder and not folder.is_dir():
        raise CommandError(f"The folder {folder} for --json does not exist. Make it, or choose another one.")


def summary(found: dict[str, Any]) -> list[str]:
    """Return the claims in a few lines."""
    accuracy = found["accuracy"]["helpfulness"]
    tension, contradictions, defects = found["tension_rate"], found["contradictions"], found["defects"]
    lines = [
        f"right on helpfulness: {accuracy['share']:.1%} of answers",
        f"tension rate: {tension['share']:.1%}, planted {tension['planted']:.1%}",
        f"contradictions: {contradictions['share']:.2%} · defects: {defects['share']:.1%}",
    ]
    if "reliability" in found and "with_planted" in found["reliability"]["helpfulness"]:
        rank = found["reliability"]["helpfulness"]
        lines.append(
            f"reliability on helpfulness, rank correlation: {rank['with_planted']} with planted accuracy, "
            f"{rank['with_reached']} with reached accuracy"
        )
    if "review" in found:
        lines += [*review_claims.summary(found["review"]), *falls.summary(found["breaks"])]
    return lines
