"""Report at startup which usual formats this machine's ffmpeg cannot prepare, before a video fails because of it."""

import logging
from collections.abc import Sequence
from typing import Any

from celery.signals import worker_ready
from django.apps import AppConfig
from django.core.checks import CheckMessage, Warning, register

from diptych.embedded import binaries
from diptych.embedded.state import EmbeddedError
from media import decoders
from media.commands import CommandFailed, ProgramKilled

logger = logging.getLogger(__name__)

ADVICE = "Unset FFMPEG to use the ffmpeg that comes with Diptych, or set it to a build that has them."


def trouble_with_ffmpeg() -> str:
    """Return a sentence on what ffmpeg lacks, or "" if it has everything."""
    try:
        missing = decoders.missing()
        program = binaries.ffmpeg()
    except (OSError, EmbeddedError, ProgramKilled, CommandFailed) as trouble:
        return f"ffmpeg does not run here, so no video can be prepared: {str(trouble).rstrip('.')}."
    if not missing:
        return ""
    return f"{program} lacks {', '.join(missing)}. Videos that need them will fail with that reason."


@register(deploy=True)
def check_ffmpeg(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Check ffmpeg in `manage.py check --deploy`. Other commands do not run this check."""
    trouble = trouble_with_ffmpeg()
    return [Warning(trouble, hint=ADVICE, id="media.W001")] if trouble else []


@worker_ready.connect
def say_what_ffmpeg_lacks(sender: Any, **_: Any) -> None:
    """Write into the log of each worker on the queue `media` what ffmpeg lacks."""
    if "media" in sender.app.amqp.queues.consume_from and (trouble := trouble_with_ffmpeg()):
        logger.error("%s %s", trouble, ADVICE)
