"""What pages say about background workers where something waits for them."""

from typing import Any

from django import template

from catalog import sweeps

register = template.Library()


@register.inclusion_tag("catalog/_last_sweep.html")
def last_sweep() -> dict[str, Any]:
    """Say when the workers last reported, if that was too long ago; otherwise nothing."""
    is_late, ended_at = sweeps.late()
    return {"is_late": is_late, "ended_at": ended_at}
