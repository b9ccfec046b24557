"""Checks rows against each other. A row that needs a refused row is refused too, and names it."""

from catalog.importing.rows import Manifest, PairRow, PromptRow, VideoRow
from catalog.importing.schema import hint


def check_references(manifest: Manifest) -> None:
    """Refuses rows whose prompt, origin or videos are unknown, refused or contradictory.

    Safe to repeat: after more rows were refused, it refuses what depended on them.
    """
    _refuse_repeated_texts(manifest)
    for video in list(manifest.videos.values()):
        _check_prompt(video, manifest)
    _check_origins(manifest)
    manifest.pairs = [pair for pair in manifest.pairs if _is_whole(pair, manifest)]


def _refuse_repeated_texts(manifest: Manifest) -> None:
    firsts: dict[str, PromptRow] = {}
    for prompt in list(manifest.prompts.values()):
        first = firsts.setdefault(prompt.public_id, prompt)
        if first is not prompt:
            manifest.refuse_prompt(
                prompt,
                "text",
                f"The prompt {prompt.id} has the same text as {first.id} ({first.place}): use one id",
            )


def _check_prompt(video: VideoRow, manifest: Manifest) -> None:
    if video.prompt not in manifest.prompts:
        manifest.refuse_video(video, "prompt", _absent("prompt", video.prompt, manifest))


def _check_origins(manifest: Manifest) -> None:
    """Refuses videos derived from an unknown or refused video, or, through others, from themselves."""
    sound: set[str] = set()
    for start in list(manifest.videos.values()):
        chain: dict[str, VideoRow] = {}
        video, reason = start, ""
        while video.derived_from is not None and video.id not in sound and not reason:
            chain[video.id] = video
            origin = video.derived_from
            if origin in chain:
                reason = f"The video {origin} would be derived from itself"
            elif origin in manifest.videos:
                video = manifest.videos[origin]
            else:
                reason = _absent("video", origin, manifest)
        if not reason:
            sound.update(chain)
            continue
        for link in reversed(chain.values()):
            if link.id in manifest.videos:
                manifest.refuse_video(link, "derived_from", reason)
                reason = _absent("video", link.id, manifest) if "itself" not in reason else reason


def _is_whole(pair: PairRow, manifest: Manifest) -> bool:
    """Whether both videos are there, differ, and are of one prompt. Complains of each thing that is wrong."""
    before = len(manifest.bad)
    for column in ("video_0", "video_1"):
        local = getattr(pair, column)
        if local not in manifest.videos:
            manifest.complain(pair.place, column, _absent("video", local, manifest))
    if pair.prompt is not None and pair.prompt not in manifest.prompts:
        manifest.complain(pair.place, "prompt", _absent("prompt", pair.prompt, manifest))
    if len(manifest.bad) > before:
        return False
    one, other = manifest.videos[pair.video_0], manifest.videos[pair.video_1]
    if one is other:
        manifest.complain(pair.place, "video_1", f"The video {one.id} cannot be compared with itself")
    elif one.public_id and one.public_id == other.public_id:
        manifest.complain(
            pair.place, "video_1", f"The videos {one.id} and {other.id} are the same: same bytes, same origin"
        )
    elif one.prompt != other.prompt:
        manifest.complain(
            pair.place, "video_1", f"The two videos are of different prompts, {one.prompt} and {other.prompt}"
        )
    elif pair.prompt is not None and pair.prompt != one.prompt:
        manifest.complain(pair.place, "prompt", f"is {pair.prompt}, but its videos are of {one.prompt}")
    return len(manifest.bad) == before


def _absent(kind: str, local: str, manifest: Manifest) -> str:
    """Why a row that is needed is not there."""
    place = manifest.refused.get((kind, local))
    if place is not None:
        return f"The {kind} {local} was refused ({place})"
    table = manifest.prompts if kind == "prompt" else manifest.videos
    near = hint(local, table) if len(table) <= 2000 else ""  # the search takes a look at every id
    return f"No {kind} with the id {local} is in the manifest{near}"
