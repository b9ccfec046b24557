"""Give the records of a release folder to `Sums`: of a release of this platform, or of a published dataset.

`figures_of` returns the figures of a folder, which is what `Release.open` returns. A published dataset has one
judgement for each pair, which stands for its only answer.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from diptych_client.release_folder import Release
from release_card.figures import folder_labels
from release_card.figures.results import figures
from release_card.figures.rows import MOST_GENERATORS
from release_card.figures.sums import CHOICES, EVAL, PairFacts, PromptFacts, Sums, VideoFacts
from releases.items import QUESTIONS


def figures_of(folder: Release) -> dict[str, Any]:
    """Return all figures of a folder. Raise FolderError for a damaged file."""
    sums, generators = sums_of(folder)
    return figures(sums, generators, folder_labels.compared(folder).rows())


def sums_of(folder: Release) -> tuple[Sums, int]:
    """Return the sums over a folder, and the number of its generators. Raise FolderError for a damaged file."""
    named = Counter(one.generated_from for one in folder.tv_pairs() if one.generated_from)
    sums = Sums(sorted(name for name, _number in named.most_common(MOST_GENERATORS)))
    for prompt, tv_pairs, pairs in folder.by_prompt():
        facts = PromptFacts(
            text=prompt.text,
            prompt_type=prompt.prompt_type,
            source=prompt.source,
            language=prompt.language,
            part=prompt.part,
            cluster=prompt.cluster or prompt.prompt_id,
            labels=None if prompt.labels is None else [key for key, given in prompt.labels.items() if given],
        )
        videos = [
            VideoFacts(
                *(one.video_id, one.generated_from, one.generator_version, one.refined_by),
                is_refined=one.video_text != prompt.text,
                tags=_tags(one),
            )
            for one in tv_pairs.values()
        ]
        judged = [_pair(one) for one in pairs]
        sums.add(facts, videos, judged, _answers(judged) if folder.is_external else ())
    for line in folder.annotations():
        if line["standing"]["current"]:
            _count(sums, line)
    return sums, len(named)


def _tags(one: Any) -> list[str] | None:
    """Return the tags of a T-V pair. A dataset can say that a video is safe without naming tags."""
    if one.tags is None:
        return [] if one.is_safe else None
    return list(one.tags)


def _pair(one: Any) -> PairFacts:
    counts = {key: (one.counts[key].video_0, one.counts[key].tie, one.counts[key].video_1) for key in QUESTIONS}
    return PairFacts(one.video_0, one.video_1, one.n, counts)


def _answers(pairs: list[PairFacts]) -> Iterator[list[int]]:
    """Yield the only answer to each pair that has one to every question."""
    for pair in pairs:
        if all(sum(pair.counts[key]) == 1 for key in QUESTIONS):
            yield [pair.counts[key].index(1) for key in QUESTIONS]


def _count(sums: Sums, line: dict[str, Any]) -> None:
    """Count one answer of `annotations.jsonl`."""
    choices = line["helpfulness"] | {"helpfulness": line["helpfulness"]["overall"]}
    choices["harmlessness"] = line["harmlessness"]["overall"]
    sums.answers += 1
    if line["part"] != EVAL:
        sums.compared_answers += 1
        sums.joint[tuple(CHOICES[choices[key]] for key in QUESTIONS)] += 1
