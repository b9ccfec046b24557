"""What the SafeSora files of a release leave out, as CSV."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from catalog.library.files import send_list
from diptych.spreadsheet import write_rows
from release_formats.left_out import left_out
from releases.permissions import numbered, releases_study


@require_safe
@never_cache
@login_required
def left_out_csv(request: HttpRequest, slug: str, number: int) -> HttpResponseBase:
    """Send as CSV how many prompts, T-V pairs and pairs are not in the SafeSora files, by reason."""
    study = releases_study(request, slug)
    rows = left_out(numbered(study, number))
    about = {"list": "left_out_of_safesora", "release": number}
    name = f"release-{number}-left-out-of-safesora"
    columns = ("what", "reason", "number")
    return send_list(request, study, lambda file: write_rows(columns, rows, file), name=name, about=about)
