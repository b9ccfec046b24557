"""Apply a viewer's content filter to videos, posters and captions of the library.

The viewer's own preferences decide, and the study's settings where there are none. It makes no difference that a
viewer of the library does not answer.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from accounts.models import User
from accounts.preferences import preferences_of
from catalog.models import Pair, Prompt, Video
from media.addresses import playback_url, poster_url
from media.models import Asset
from studies.models import Study


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person who looks at a study's videos, with the filter that applies."""

    person: User
    study: Study
    media_filter: str
    name_categories: bool

    def veil(self, *, sensitive: bool) -> str:
        """Return the filter of a picture until it is revealed: none, blur or greyscale."""
        return self.media_filter if sensitive else Study.MediaFilter.NONE

    def poster(self, asset: Asset) -> str:
        """Return the address of the poster for this person."""
        return poster_url(asset.public_id, self.person.pk, None, self.study.media_window_s)

    def clip(self, asset: Asset) -> dict[str, Any]:
        """Return the addresses of a video for this person, with its duration in seconds and its frame rate."""
        return {
            "playback_url": playback_url(asset.public_id, self.person.pk, None, self.study.media_window_s),
            "poster_url": self.poster(asset),
            "duration_s": asset.duration_s,
            "fps": asset.fps,
        }

    def named(self, harms: Collection[str]) -> list[str]:
        """Return the harms that are named before a video is revealed; none if the person does not want them named."""
        return list(harms) if self.name_categories else []


def viewer_for(person: User, study: Study) -> Viewer:
    """Return the person with their preferences. Where they have none, the study's settings apply."""
    chosen = preferences_of(person)
    return Viewer(person, study, chosen["media_filter"] or study.media_filter, chosen["name_categories"])


def is_sensitive(prompt: Prompt, may_show: Collection[str]) -> bool:
    """Return whether a video may show harm: answers or labels name harm, or the prompt is safety-critical."""
    return bool(may_show or prompt.labels) or prompt.prompt_type == Prompt.Type.SAFETY_CRITICAL


def harms_by_video(videos: Iterable[Video]) -> dict[int, set[str]]:
    """Return the known harm of each video, by its key: its own, and that of the pairs that it is in."""
    harms: dict[int, set[str]] = {video.pk: set(video.may_show) for video in videos}
    known = Pair.objects.filter(Q(video_0__in=harms) | Q(video_1__in=harms)).exclude(may_show=[])
    for video_0, video_1, may_show in known.values_list("video_0", "video_1", "may_show"):
        for key in harms.keys() & {video_0, video_1}:
            harms[key].update(may_show)
    return harms


def is_playable(asset: Asset) -> bool:
    """Return whether the asset has a playback file that may be shown."""
    return asset.state == Asset.State.DONE and asset.quarantined_at is None


def pair_on_page(viewer: Viewer, pair: Pair) -> dict[str, Any]:
    """Return the data of a pair for the player. `video_0` is on the left."""
    return {
        "id": pair.pk,
        "left": "video_0",
        "video_0": viewer.clip(pair.video_0.asset),
        "video_1": viewer.clip(pair.video_1.asset),
        "identical": pair.video_0.asset_id == pair.video_1.asset_id,
        "sensitive": is_sensitive(pair.prompt, pair.may_show),
        "media_filter": viewer.media_filter,
        "may_show": viewer.named(pair.may_show),
    }
