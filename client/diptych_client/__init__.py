"""Read releases of a Diptych server, and use its API.

    for pair in Release.open("my-study-1").pairs():
        print(pair.pair_id, pair.decided("helpfulness"))

`Client` sends requests to a server. It is loaded only when it is used, since reading releases needs no network.
"""

from typing import TYPE_CHECKING, Any

from diptych_client.errors import ClientError
from diptych_client.release_folder import FolderError, OfPrompt, Pair, Prompt, Release, TVPair

if TYPE_CHECKING:
    from diptych_client.client import Client

__version__ = "0.1.0"
__all__ = ["Client", "ClientError", "FolderError", "OfPrompt", "Pair", "Prompt", "Release", "TVPair"]


def __getattr__(name: str) -> Any:
    if name == "Client":
        from diptych_client.client import Client

        return Client
    raise AttributeError(f"module {__name__} has no attribute {name}")
