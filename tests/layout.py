"""Which apps the product has, as pyproject.toml tells import-linter."""

import tomllib

from diptych.embedded.state import REPOSITORY

_CONTRACTS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
_LAYERS: list[str] = next(one["layers"] for one in _CONTRACTS if one["type"] == "layers")
#: Each app and its height; apps side by side have the same.
HEIGHT = {app: height for height, layer in enumerate(reversed(_LAYERS)) for app in layer.split(" | ")}
APPS = tuple(HEIGHT)
#: The folders of the product's Python.
PRODUCT = (*APPS, "diptych")
