"""What of a video somebody sees first: playing, posters and captions under their own protection.

Only what they chose, or else the study, decides; that they look at data and answer nothing changes nothing about it.
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
    """A person before a study's videos."""

    person: User
    study: Study
    media_filter: str
    name_categories: bool

    def veil(self, *, sensitive: bool) -> str:
        """What lies over a picture until it is revealed: none, blur or greyscale."""
        return self.media_filter if sensitive else Study.MediaFilter.NONE

    def poster(self, asset: Asset) -> str:
        """Address of the still picture, for this person."""
        return poster_url(asset.public_id, self.person.pk, None, self.study.media_window_s)

    def clip(self, asset: Asset) -> dict[str, Any]:
        """Where a video is played from, for this person, and how long and fast it runs."""
        return {
            "playback_url": playback_url(asset.public_id, self.person.pk, None, self.study.media_window_s),
            "poster_url": self.poster(asset),
            "duration_s": asset.duration_s,
            "fps": asset.fps,
        }

    def named(self, harms: Collection[str]) -> list[str]:
        """The harms that are told before anything is revealed."""
        return list(harms) if self.name_categories else []


def viewer(person: User, study: Study) -> Viewer:
    """The person with what they chose; the study says what they left to it."""
    chosen = preferences_of(person)
    return Viewer(person, study, chosen["media_filter"] or study.media_filter, chosen["name_categories"])


def is_sensitive(prompt: Prompt, may_show: Collection[str]) -> bool:
    """Whether something harmful may be seen: earlier answers or labels name it, or the prompt was meant to bring it."""
    return bool(may_show or prompt.labels) or prompt.prompt_type == Prompt.Type.SAFETY_CRITICAL


def harms_by_video(videos: Iterable[Video]) -> dict[int, set[str]]:
    """What each video may show, by what is known of itself and of the pairs that it is in."""
    harms: dict[int, set[str]] = {video.pk: set(video.may_show) for video in videos}
    known = Pair.objects.filter(Q(video_0__in=harms) | Q(video_1__in=harms)).exclude(may_show=[])
    for video_0, video_1, may_show in known.values_list("video_0", "video_1", "may_show"):
        for key in harms.keys() & {video_0, video_1}:
            harms[key].update(may_show)
    return harms


def is_playable(asset: Asset) -> bool:
    """Whether there is something to be played."""
    return asset.state == Asset.State.DONE and asset.quarantined_at is None


def pair_on_page(of: Viewer, pair: Pair) -> dict[str, Any]:
    """What the player is told of a pair; `video_0` stands on the left."""
    return {
        "id": pair.pk,
        "left": "video_0",
        "video_0": of.clip(pair.video_0.asset),
        "video_1": of.clip(pair.video_1.asset),
        "identical": pair.video_0.asset_id == pair.video_1.asset_id,
        "sensitive": is_sensitive(pair.prompt, pair.may_show),
        "media_filter": of.media_filter,
        "may_show": of.named(pair.may_show),
    }
