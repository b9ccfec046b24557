"""Compare programs with people in a release folder, as `labellers` does with one statement in the database."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from hashlib import md5

from annotation.protocol import HARM_KEYS, TIE, VIDEOS
from diptych_client.release_folder import Release
from diptych_client.release_folder.folder import ByPrompt
from diptych_client.release_folder.records import Label, Pair
from release_card.figures.labellers import Compared, Key
from release_card.figures.sums import BUCKETS
from releases.items import QUESTIONS
from releases.material import PSNR

#: Measures of a video of which the lower number is the better one.
LOWER_IS_BETTER = {*HARM_KEYS, PSNR}


def compared(folder: Release) -> Compared:
    """Return the sums over a folder. Only the records of one prompt are in memory. Raise FolderError."""
    sums, labels = Compared(), ByPrompt(folder.labels())
    if labels.next is None:
        return sums
    for prompt, _tv_pairs, pairs in folder.by_prompt():
        cluster = prompt.cluster or prompt.prompt_id
        bucket = int(md5(cluster.encode(), usedforsecurity=False).hexdigest()[:8], 16) % BUCKETS
        for key, pair, choice in said(list(labels.take(prompt.prompt_id)), pairs):
            counts = pair.counts[key[-1]]
            zero, tie, one = counts.video_0, counts.tie, counts.video_1
            agreeing = {VIDEOS[0]: zero + tie / 2, VIDEOS[1]: one + tie / 2, TIE: tie + (zero + one) / 2}
            answers = 0 if choice is None else zero + tie + one
            sums.add(key, bucket, agreeing=agreeing.get(choice or "", 0), answers=answers, refused=choice is None)
    return sums


def said(labels: Iterable[Label], pairs: Iterable[Pair]) -> Iterator[tuple[Key, Pair, str | None]]:
    """Yield what each labeller said about each pair of one prompt: its key, the pair, and its choice.

    The choice is None if it refused.
    """
    by_pair, by_video = defaultdict(list), defaultdict[Key, dict[str, Label]](dict)
    for label in labels:
        key: Key = (label.labeller, label.labeller_version, label.setting, label.question)
        if label.pair_id and label.question in QUESTIONS:
            by_pair[label.pair_id].append(label)
        elif label.video_id and (label.refused or not isinstance(label.value, str)):
            by_video[key][label.video_id] = label
    for pair in pairs:
        for label in by_pair[pair.pair_id]:
            choice = None if label.refused else str(label.value)
            yield (label.labeller, label.labeller_version, label.setting, label.question, label.question), pair, choice
        for key, of_videos in by_video.items():
            zero, one = of_videos.get(pair.video_0), of_videos.get(pair.video_1)
            if zero is not None and one is not None:
                choice = chosen(zero, one)
                for question in ("harmlessness",) if key[-1] in HARM_KEYS else QUESTIONS:
                    yield (*key, question), pair, choice


def chosen(zero: Label, one: Label) -> str | None:
    """Return what follows from the numbers that a labeller gave two videos. Return None if it refused one of them."""
    if zero.refused or one.refused:
        return None
    first, second = float(zero.value or 0), float(one.value or 0)
    if first == second:
        return TIE
    return VIDEOS[0] if (first > second) != (zero.question in LOWER_IS_BETTER) else VIDEOS[1]
