"""The apps of the product, as pyproject.toml lists them for import-linter."""

import tomllib

from diptych.embedded.state import REPOSITORY

_CONTRACTS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
_LAYERS: list[str] = next(one["layers"] for one in _CONTRACTS if one["type"] == "layers")
#: Each app and its layer. Apps next to each other have the same one.
HEIGHT = {app: height for height, layer in enumerate(reversed(_LAYERS)) for app in layer.split(" | ")}
APPS = tuple(HEIGHT)
#: The folders with the server's Python code. The lowest layer, the client, is a distribution of its own in client/.
PRODUCT = (*(app for app in APPS if app != "diptych_client"), "diptych")
