"""Send a list of a study as a CSV file. The record says who took which list, with which filters."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from accounts import audit
from accounts.models import User
from diptych import downloads
from diptych.downloads import CopyFile
from diptych.sentences import joined
from studies.models import Study


def send_list(
    request: HttpRequest, study: Study, copy: Callable[[CopyFile], None], *, name: str, about: Mapping[str, Any]
) -> HttpResponseBase:
    """Send what `copy` writes as the file `<study>-<name>.csv`, and record it.

    Args:
        about: what the record says of the list: its name under `list`, and its filters.
    """
    return downloads.send(
        request,
        copy,
        name=f"{study.slug}-{name}.csv",
        content_type=downloads.CSV,
        record=lambda: audit.record(
            "library.downloaded", study, actor=cast(User, request.user), study_slug=study.slug, after=dict(about)
        ),
    )


def refuse(filters: forms.BaseForm) -> HttpResponse:
    """Return the sentences about wrong filters, as plain text with the status 400."""
    sentences = [f"{filters[name].label}: {joined(wrong)}" for name, wrong in filters.errors.items()]
    return HttpResponse("\n".join(sentences), status=400, content_type="text/plain; charset=utf-8")
