"""PostgreSQL, Valkey and ffmpeg from Python wheels: nothing to install, left running or lost."""

from diptych.embedded.servers import Servers, start
from diptych.embedded.state import EmbeddedError, Home

__all__ = ["EmbeddedError", "Home", "Servers", "start"]
