"""A template tag that warns people if no background worker has reported lately."""

from typing import Any

from django import template
from django.utils import timezone

from diptych.durations import MINUTE, in_words
from jobs import sweeps

register = template.Library()


@register.inclusion_tag("jobs/_last_sweep.html")
def last_sweep() -> dict[str, Any]:
    """Return when the workers last reported, if that was too long ago. Otherwise the tag shows nothing."""
    is_late, ended_at = sweeps.late()
    ago = in_words((timezone.now() - ended_at).total_seconds(), to=MINUTE) if ended_at else ""
    return {"is_late": is_late, "ago": ago}
