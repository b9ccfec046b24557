"""Read releases of a Diptych server, and use its API.

`Release.open("my-study-1")` reads a release folder.
"""

from diptych_client.release_folder import FolderError, OfPrompt, Pair, Prompt, Release, TVPair

__version__ = "0.1.0"
__all__ = ["FolderError", "OfPrompt", "Pair", "Prompt", "Release", "TVPair"]
