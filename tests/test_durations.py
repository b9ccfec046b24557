"""Durations in words."""

import pytest
from django.utils import translation

from diptych.durations import HOUR, MINUTE, SECOND, in_words


@pytest.mark.parametrize(
    ("seconds", "to", "words"),
    [
        (0, SECOND, "0 minutes"),
        (0.02, SECOND, "less than a second"),
        (0.4, SECOND, "0.4 seconds"),
        (1, SECOND, "1 second"),
        (9.6, SECOND, "9.6 seconds"),
        (9.97, SECOND, "10 seconds"),
        (12.5, SECOND, "12 seconds"),
        (90, SECOND, "1 minute 30 seconds"),
        (3000, SECOND, "50 minutes"),
        (3601, SECOND, "1 hour 1 second"),
        (86_400, SECOND, "24 hours"),
        (0, MINUTE, "0 minutes"),
        (20, MINUTE, "less than a minute"),
        (59.9, MINUTE, "1 minute"),
        (3599, MINUTE, "1 hour"),
        (12_000, MINUTE, "3 hours 20 minutes"),
        (12_000, HOUR, "3 hours"),
        (60, HOUR, "less than an hour"),
    ],
)
def test_a_duration_has_its_hours_minutes_and_seconds(seconds, to, words):
    assert in_words(seconds, to=to) == words


def test_a_duration_is_said_in_chinese_too():
    with translation.override("zh-hans"):
        assert in_words(5400) == "1 小时 30 分钟"
        assert in_words(20, to=MINUTE) == "不到一分钟"
