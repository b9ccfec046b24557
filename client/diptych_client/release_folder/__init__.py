"""Release folders as files: read any of them, and make one of a published dataset. It needs only the standard library.

`Release.open` opens a folder, whether it is a release of Diptych or an *external* one, which `safesora.convert` makes
of a published SafeSora dataset. Both have the same records.
"""

from diptych_client.release_folder.errors import FolderError
from diptych_client.release_folder.folder import OfPrompt, Release
from diptych_client.release_folder.records import Counts, Label, Pair, Prompt, TVPair

__all__ = ["Counts", "FolderError", "Label", "OfPrompt", "Pair", "Prompt", "Release", "TVPair"]
