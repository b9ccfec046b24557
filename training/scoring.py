"""Score videos of the library with a promoted version. A worker does it like any other run.

The scores become labels of programs (`catalog.Label`), so annotators never see them. A video has at most one score by
a version: the constraint of labels decides, and videos that have one are not sent again.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import orjson
from django.core.files.storage import default_storage
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from catalog.models import Label, Video
from catalog.models.labels import CHOICE_QUESTIONS
from diptych.refusals import BadInput, Refused
from media import names
from media.models import Asset
from training import queueing
from training.models import Artefact, ModelVersion, Run

PATH = "scores.jsonl"
#: Videos of one run. The others need another run.
MOST_VIDEOS = 1000
#: Videos in one response to a worker: about 2 MB of frames.
VIDEOS_A_PAGE = 20
MOST_SCORES = 20
STATES = ("scored", "failed", "ready", "preparing", "unplayable", "unknown")
#: The question of the label that says that a version could not score a video. It keeps the video from being sent again.
NOT_SCORED = "score"
#: The largest file of scores.
MOST_BYTES = 20_000_000


def labeller(version: ModelVersion) -> str:
    """Return the name under which the scores of a version's family are stored as labels."""
    return f"{version.family.key} on {version.family.backbone}"


def unscored(version: ModelVersion, *, again: bool = False) -> QuerySet[Video]:
    """Return the videos of the study with frames, outside of quarantine, which the version has not scored.

    Args:
        again: also those that it could not score.
    """
    mine = Label.objects.filter(video=OuterRef("pk"), labeller=labeller(version), labeller_version=str(version.number))
    mine = mine.filter(refused=False) if again else mine
    ready = Video.objects.filter(study=version.study, asset__state=Asset.State.DONE, asset__quarantined_at__isnull=True)
    return ready.filter(~Exists(mine)).order_by("pk")


def ask(version: ModelVersion, *, actor: User | None, videos: Sequence[str] = (), added_after: int = 0) -> Run:
    """Queue a run that scores videos without a score. Return it. Raise Refused.

    Args:
        videos: published ids of the only videos to score, also if the version could not score them before. Without
            them, the first ones of the study are scored.
        added_after: only videos with a greater row id are scored.
    """
    if version.state != ModelVersion.State.PROMOTED:
        raise Refused(_("Only a promoted version scores videos."), "not_promoted")
    possible = unscored(version, again=True).filter(public_id__in=videos) if videos else unscored(version)
    wanted = list(possible.filter(pk__gt=added_after).values_list("pk", flat=True)[:MOST_VIDEOS])
    if not wanted:
        raise Refused(_("The version has scored all these videos, or they have no frames yet."), "nothing_to_score")
    options = {"last_video": wanted[-1]} | ({"videos": wanted} if videos or added_after else {})
    return queueing.ask_scoring(version, options=options, actor=actor)


def find(version: ModelVersion, asked: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """Return for each asked video which one of the study it is, its state, and its scores by the version.

    Args:
        asked: each with `video`, a published id, or with the `sha256` of an original file and the text of its `prompt`.
    """
    videos = Video.objects.filter(study=version.study).select_related("prompt", "asset")
    by_id = {one.public_id: one for one in videos.filter(public_id__in=[row.get("video", "") for row in asked])}
    files = videos.filter(asset__sha256__in=[row.get("sha256", "") for row in asked])
    by_file = {(one.asset.sha256, one.prompt.text): one for one in files}
    found = [
        by_id.get(row.get("video", "")) or by_file.get((row.get("sha256", ""), row.get("prompt", ""))) for row in asked
    ]
    mine = {"labeller": labeller(version), "labeller_version": str(version.number)}
    scores: dict[int, dict[str, Any]] = {}
    for label in Label.objects.filter(study=version.study, video__in=[one for one in found if one], **mine):
        assert label.video_id is not None  # noqa: S101  # the filter
        if label.refused:
            scores.setdefault(label.video_id, {})
            continue
        scores.setdefault(label.video_id, {})[label.question.removeprefix("score_")] = label.value
    return [
        {
            "video": one.public_id if one else None,
            "prompt": one.prompt.text if one else None,
            "state": _state(one, scores),
            "scores": (scores.get(one.pk) or None) if one else None,
        }
        for one in found
    ]


def _state(video: Video | None, scores: Mapping[int, Any]) -> str:
    if video is None:
        return "unknown"
    if video.pk in scores:
        return "scored" if scores[video.pk] else "failed"
    if video.asset.quarantined_at is not None or video.asset.state in {Asset.State.FAILED, Asset.State.CANCELLED}:
        return "unplayable"
    return "ready" if video.asset.state == Asset.State.DONE else "preparing"


def items(run: Run, after: int) -> Iterator[tuple[int, dict[str, Any], list[bytes]]]:
    """Yield the next videos of a scoring run: row id, what the program needs, and the frames as JPEG.

    Raise OSError if the storage is away.
    """
    version = _version(run)
    found = unscored(version, again="videos" in run.options).select_related("prompt", "asset")
    found = found.filter(pk__gt=after, pk__lte=run.options["last_video"])
    if videos := run.options.get("videos"):
        found = found.filter(pk__in=videos)
    for video in found[:VIDEOS_A_PAGE]:
        frames = []
        for name in _frames(video.asset):
            with default_storage.open(name) as file:
                frames.append(file.read())
        yield video.pk, {"id": video.public_id, "prompt": video.prompt.text}, frames


def _frames(asset: Asset) -> list[str]:
    """Return the names of the frames of an asset in the storage, in the order of time."""
    stored = asset.facts.get("files", {})
    numbers = sorted(int(PurePosixPath(name).stem) for name in stored if name.startswith("frames/"))
    return [names.frame(asset.public_id, number) for number in numbers]


def store(run: Run) -> int:
    """Write the scores that a run uploaded as labels, in the transaction that ends it. Return how many are new.

    A video that could not be scored gets a label without a value. A video that was removed meanwhile is left out. Raise
    BadInput for a file that is no result of scoring.
    """
    version = _version(run)
    rows = _read(Artefact.objects.get(run=run, fence=run.fence, path=PATH))
    videos = dict(Video.objects.filter(study=run.study_id, public_id__in=list(rows)).values_list("public_id", "pk"))
    about = {"study": run.study, "labeller": labeller(version), "labeller_version": str(version.number)}
    labels = [
        Label(video_id=videos[public_id], question=_question(name), value=value, **about)
        for public_id, scores in rows.items()
        if public_id in videos
        for name, value in scores.items()
    ]
    labels += [
        Label(video_id=videos[public_id], question=NOT_SCORED, refused=True, **about)
        for public_id, scores in rows.items()
        if public_id in videos and not scores
    ]
    scored_now = {videos[public_id] for public_id, scores in rows.items() if public_id in videos and scores}
    Label.objects.filter(**about, refused=True, video__in=scored_now).delete()
    before = Label.objects.filter(study=run.study, labeller=about["labeller"]).count()
    Label.objects.bulk_create(labels, ignore_conflicts=True, batch_size=1000)
    return Label.objects.filter(study=run.study, labeller=about["labeller"]).count() - before


def _question(name: str) -> str:
    """Return the question of a label. A label on a question of pairs would be a choice between two videos."""
    return f"score_{name}" if name in CHOICE_QUESTIONS else name


def _read(file: Artefact) -> dict[str, Mapping[str, float]]:
    """Return the scores by video: none for a line with an error. Raise BadInput."""
    wrong = BadInput(_("%(path)s is no result of scoring.") % {"path": PATH}, field="files")
    if file.byte_size > MOST_BYTES:
        raise wrong
    with default_storage.open(file.stored_name) as stored:
        lines = stored.read().splitlines()
    found: dict[str, Mapping[str, float]] = {}
    for line in lines:
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            raise wrong from None
        if not isinstance(row, dict) or not isinstance(row.get("id"), str):
            raise wrong
        if "error" in row:
            found.setdefault(row["id"], {})
            continue
        scores = row.get("scores")
        if (
            not isinstance(scores, dict)
            or not 0 < len(scores) <= MOST_SCORES
            or not all(map(_is_score, scores.items()))
        ):
            raise wrong
        found[row["id"]] = scores
    return found


def _is_score(item: tuple[Any, Any]) -> bool:
    name, value = item
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return 0 < len(name) <= 40 and is_number and math.isfinite(value)


def _version(run: Run) -> ModelVersion:
    assert run.version_id is not None  # noqa: S101  # a constraint
    return ModelVersion.objects.select_related("study", "family").get(pk=run.version_id)


def progress(version: ModelVersion) -> dict[str, int]:
    """Return how many videos the version has scored, how many it could not score, and how many it could score now."""
    mine = Label.objects.filter(study=version.study, labeller=labeller(version), labeller_version=str(version.number))
    return {
        "scored": mine.filter(refused=False).values("video").distinct().count(),
        "failed": mine.filter(refused=True).values("video").distinct().count(),
        "left": unscored(version).count(),
    }
