"""PostgreSQL, Valkey and ffmpeg out of Python wheels: nothing to install, nothing left running, nothing lost."""

from diptych.embedded.servers import Servers, start
from diptych.embedded.state import EmbeddedError, Home

__all__ = ["EmbeddedError", "Home", "Servers", "start"]
