"""Release folders as files: read any of them, and make one of a published dataset. It needs no Django and no database.

`open_release` opens a folder, whether it is a release of this platform or an *external* one, which `safesora.convert`
makes of a published SafeSora dataset. Both have the same records.
"""

from release_folder.errors import FolderError
from release_folder.folder import ReleaseFolder, open_release
from release_folder.records import Counts, Pair, Prompt, TVPair

__all__ = ["Counts", "FolderError", "Pair", "Prompt", "ReleaseFolder", "TVPair", "open_release"]
