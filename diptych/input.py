"""The characters that a request may contain: one rule for addresses, query strings, forms and JSON bodies.

PostgreSQL cannot store NUL, and no response header may contain a line end. People do not type the other control
characters: they come from broken programs and from attacks. White space is allowed where a text can have several lines.
"""

import re
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, QueryDict, UnreadablePostError
from django.utils.translation import gettext as _

from diptych.refusals import BadInput

#: In texts of several lines: every control character but tab, line feed, vertical tab, form feed, carriage return.
NOT_IN_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
#: In values of one line, such as a query parameter: line ends as well.
NOT_IN_LINE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
#: The same characters as an address encodes them. Most requests have none, and their query string is not parsed here.
_ESCAPED = re.compile(r"%(?:0[0-8a-f]|1[0-9a-f]|7f)|[\x00-\x08\x0a-\x1f\x7f]", re.IGNORECASE)
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
LONGEST_NAME = 40


def check(request: HttpRequest) -> None:
    """Raise BadInput if the address, a header, the query string or a form field has a control character.

    Bodies of the API are checked where they are parsed. Raises RequestDataTooBig for a form that is too long.
    """
    if NOT_IN_LINE.search(request.path_info):
        raise _unreadable(_("The address contains a control character. Check the address."))
    headers = [value for name, value in request.META.items() if name.startswith("HTTP_") and name != "HTTP_COOKIE"]
    if NOT_IN_LINE.search("".join(headers)):
        raise _unreadable(_("A header contains a control character. Send the request without it."))
    if _ESCAPED.search(request.META.get("QUERY_STRING", "")):
        _check_fields(_pairs(request.GET), NOT_IN_LINE)
    if request.method == "POST" and request.content_type in FORMS and not request.path_info.startswith("/api/"):
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or len(length) > 18 or int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig  # no form has files, and Django would write them to the disk before any check
        try:
            files = [(name, file.name) for name, given in request.FILES.lists() for file in given]
            fields = [*_pairs(request.POST), *files]
        except UnreadablePostError:  # the connection broke, and the view that reads the form finds it empty
            return
        _check_fields(fields, NOT_IN_TEXT)


def _unreadable(sentence: str) -> BadInput:
    return BadInput(sentence, "bad_request")


def _pairs(fields: QueryDict) -> Iterator[tuple[str, str]]:
    return ((name, str(value)) for name, values in fields.lists() for value in values)


def _check_fields(fields: Iterable[tuple[str, str | None]], unwanted: re.Pattern[str]) -> None:
    for name, value in fields:
        if unwanted.search(name) or (value and unwanted.search(value)):
            shown = NOT_IN_LINE.sub("�", name)[:LONGEST_NAME]
            sentence = _("The field “%(name)s” contains a control character. Remove it and send the request again.")
            raise _unreadable(sentence % {"name": shown})
