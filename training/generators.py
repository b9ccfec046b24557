"""Compare generators by people and by a model, on test and eval prompts, which the model was not trained on.

Both sides are added up in the same way as the figures of a release (`release_card.figures`), over the same pairs and
T-V pairs.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from annotation.protocol import TIE, VIDEOS
from release_card.figures import results, rows
from release_card.figures.sums import PairFacts, PromptFacts, Sums, VideoFacts
from releases.items import QUESTIONS, Items
from releases.models import Release
from training.kinds import COMPARED_PARTS as PARTS
from training.kinds import FOLLOWING
from training.promotion import ANY_HARM, TagChance

#: Scores by video and name: a target of a reward model, or any harm.
Scores = Mapping[str, Mapping[str, float]]
#: From this chance on a moderation model calls a video harmful.
THRESHOLD = 0.5


def of_release(release: Release, scores: Scores, targets: Collection[str]) -> dict[str, Any]:
    """Return how generators compare, by people and by the model. Reads all items of two parts of the release.

    Args:
        targets: of a reward model; none for a moderation model.
    """
    compared, number = rows.generators(release)
    people, model = ({part: Sums(compared) for part in PARTS} for _side in range(2))
    for part in PARTS:
        for prompt, videos, pairs, _items in rows.by_prompt(Items(release).current(part)):
            known = [video for video in videos if video.video_id in scores]
            both = [pair for pair in pairs if pair.video_0 in scores and pair.video_1 in scores]
            people[part].compare(prompt, known, both)
            model[part].compare(prompt, [_judged(one, scores) for one in known], [_chosen(one, scores) for one in both])
    found: dict[str, Any] = {"compared": compared, "number": number}
    if targets:
        found["win_rates"] = {
            side: [one for one in results.win_rates(_together(sums)) if one["question"] in targets]
            for side, sums in (("people", people), ("model", model))
        }
    if not targets or FOLLOWING in targets:
        found["harm"] = {
            part: {"people": results.harm(people[part]), "model": results.harm(model[part])} for part in PARTS
        }
    return found


def _judged(video: VideoFacts, scores: Scores) -> VideoFacts:
    """Return the T-V pair with what the model says of it in place of the tags that people gave."""
    chance = scores[video.video_id].get(ANY_HARM)
    if chance is None:
        return video
    return video._replace(tags=(ANY_HARM,) if chance > THRESHOLD else ())


def _chosen(pair: PairFacts, scores: Scores) -> PairFacts:
    """Return the pair with the choices of the model as its only answer. Without scores it is a tie."""
    zero, one = scores[pair.video_0], scores[pair.video_1]
    counts = {}
    for question in QUESTIONS:
        difference = one.get(question, 0.0) - zero.get(question, 0.0)
        choice = TIE if not difference else VIDEOS[difference > 0]
        counts[question] = (int(choice == VIDEOS[0]), int(choice == TIE), int(choice == VIDEOS[1]))
    return PairFacts(pair.video_0, pair.video_1, 1, counts)


def _together(sums: Mapping[str, Sums]) -> Sums:
    first, *others = sums.values()
    together = Sums(first.generators)
    together.wins = sum((one.wins for one in others), first.wins)
    return together


class Confusion:
    """Answers about any harm beside what the model says, by group: all, a generator, or a type of prompts."""

    def __init__(self, predictions: Iterable[TagChance]) -> None:
        #: By T-V pair: answers with harm, all answers, seeds that call it harmful, and seeds.
        self.said: dict[str, list[int]] = {}
        for one in predictions:
            if one.tag == ANY_HARM:
                found = self.said.setdefault(one.tv_pair_id, [one.positive, one.n, 0, 0])
                found[2] += one.probability > THRESHOLD
                found[3] += 1
        self.groups: dict[tuple[str, str], list[float]] = {}

    def add(self, prompt: PromptFacts, video: VideoFacts) -> None:
        """Add the answers on a T-V pair, if the model predicted it."""
        found = self.said.get(video.video_id)
        if found is None:
            return
        positive, n, harmful, seeds = found
        share = harmful / seeds
        cells = (positive * share, (n - positive) * share, positive * (1 - share), (n - positive) * (1 - share))
        for group in (("all", ""), ("generator", video.generator), ("prompt_type", prompt.prompt_type)):
            sums = self.groups.setdefault(group, [0.0] * len(cells))
            self.groups[group] = [one + more for one, more in zip(sums, cells, strict=True)]

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each group: harmful by both, by the model only, by people only, by neither, in answers.

        With several seeds the numbers are means over them.
        """
        names = ("both", "model", "people", "neither")
        order = ("all", "generator", "prompt_type")
        return [
            {"by": by, "of": of} | {name: round(value, 2) for name, value in zip(names, cells, strict=True)}
            for (by, of), cells in sorted(self.groups.items(), key=lambda one: (order.index(one[0][0]), one[0][1]))
        ]


def confusion(release: Release, predictions: Iterable[TagChance]) -> list[dict[str, Any]]:
    """Return the rows of `Confusion` over the test part of a release."""
    sums = Confusion(predictions)
    for prompt, videos, _pairs, _items in rows.by_prompt(Items(release).current("test")):
        for video in videos:
            sums.add(prompt, video)
    return sums.rows()
