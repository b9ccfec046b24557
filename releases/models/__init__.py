"""Tables of releases, one file for each subject."""

from releases.models.automatic import AutomaticReleases
from releases.models.files import ReleaseFile
from releases.models.items import ReleaseItem
from releases.models.material import ReleaseLabel, ReleasePrompt
from releases.models.releases import Release, ReleaseFamily
from releases.models.videos import ReleaseVideo
from releases.models.withdrawals import Tombstone, Withdrawal

__all__ = [
    "AutomaticReleases",
    "Release",
    "ReleaseFamily",
    "ReleaseFile",
    "ReleaseItem",
    "ReleaseLabel",
    "ReleasePrompt",
    "ReleaseVideo",
    "Tombstone",
    "Withdrawal",
]
