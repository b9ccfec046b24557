"""Where the tokens of people who signed in are stored, and which server and token a program uses."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import platformdirs

from diptych_client.connection import server_address
from diptych_client.errors import ClientError

SERVER, TOKEN, FOLDER = "DIPTYCH_SERVER", "DIPTYCH_TOKEN", "DIPTYCH_CONFIG_DIR"
HOW = f"Sign in with: diptych sign-in ADDRESS. Programs can set {SERVER} and {TOKEN}."


class SignIn(NamedTuple):
    """A server and a token for it."""

    server: str
    token: str


def path() -> Path:
    """Return the path of the file with the tokens."""
    folder = os.environ.get(FOLDER) or platformdirs.user_config_dir("diptych", appauthor=False)
    return Path(folder) / "sign-ins.json"


def chosen(server: str = "") -> SignIn:
    """Return the server and token to use: of the environment, else of the last sign-in, or the one at `server`.

    Raise ClientError if nobody has signed in there.
    """
    if token := os.environ.get(TOKEN):
        named = server or os.environ.get(SERVER, "")
        if not named:
            raise ClientError(f"{TOKEN} is set and {SERVER} is not. Set both.", "not_signed_in")
        return SignIn(server_address(named), token)
    stored = _read()
    named = server_address(server or os.environ.get(SERVER) or stored["last"] or _nobody())
    if named not in stored["tokens"]:
        raise ClientError(f"You are not signed in at {named}. {HOW}", "not_signed_in")
    return SignIn(named, stored["tokens"][named])


def store(server: str, token: str) -> Path:
    """Store a token, and make its server the one that is used. Return the path of the file. Raise OSError."""
    stored = _read()
    stored["tokens"][server], stored["last"] = token, server
    return _write(stored)


def forget(server: str = "") -> str:
    """Delete the token of a server, or of the last sign-in. Return the server. Raise ClientError and OSError."""
    stored = _read()
    named = server_address(server or stored["last"] or _nobody())
    if stored["tokens"].pop(named, None) is None:
        raise ClientError(f"You are not signed in at {named}.", "not_signed_in")
    if stored["last"] == named:
        stored["last"] = next(iter(stored["tokens"]), "")
    _write(stored)
    return named


def _nobody() -> str:
    raise ClientError(f"You are not signed in. {HOW}", "not_signed_in")


def _read() -> dict[str, Any]:
    try:
        stored = json.loads(path().read_text("utf-8"))
        return {"last": str(stored["last"]), "tokens": dict(stored["tokens"])}
    except FileNotFoundError:
        return {"last": "", "tokens": {}}
    except (ValueError, TypeError, KeyError) as error:
        sentence = f"{path()} cannot be read. Delete it and sign in again."
        raise ClientError(sentence, "not_signed_in") from error


def _write(stored: dict[str, Any]) -> Path:
    """Replace the file at once, so that nobody reads half of it. Only its owner can read it."""
    target = path()
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=target.parent)  # with mode 600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(stored, file, indent=2)
        os.replace(aside, target)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
    return target
