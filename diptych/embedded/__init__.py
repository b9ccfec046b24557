"""PostgreSQL, Valkey and ffmpeg from Python wheels. Nothing has to be installed, and nothing is left running."""

from diptych.embedded.servers import Servers, start
from diptych.embedded.state import EmbeddedError, Home

__all__ = ["EmbeddedError", "Home", "Servers", "start"]
