"""JSON is read without changing a value. Values that other readers change silently are reported with their field."""

import json

import pytest

from diptych import strict_json
from diptych.strict_json import loads


@pytest.mark.parametrize(
    "written",
    [
        '{"a": [1, -2.5, 1e3, 0.1, 1.50, "é", "\\u00e9\\ud83d\\ude00", true, null, {}], "b": {"a": 1}}',
        "9007199254740992",
        "-9007199254740992",
        "0.10000000000000001",  # as programs write 0.1 if they write 17 digits of every number
        "5e-324",
        '"\\\\u0000"',
        " [] ",
    ],
)
def test_good_values_are_read_unchanged(written):
    assert loads(written) == (json.loads(written), [])


@pytest.mark.parametrize(
    ("written", "field", "reason"),
    [
        ('{"a": 1, "a": 1}', "a", "is there twice"),
        ('{"a": [{"b": 1, "c": {"d": 1, "d": 2}}]}', "a.0.c.d", "is there twice"),
        ('{"\\u0061": 1, "a": 1}', "a", "is there twice"),
        ('{"a": 9007199254740993}', "a", "beyond ±2^53"),
        ('{"a": -9007199254740993}', "a", "beyond ±2^53"),
        ('{"a": 1e16}', "a", "beyond ±2^53"),
        ('{"a": 1e999}', "a", "beyond ±2^53"),
        ('{"a": 9007199254740993.0}', "a", "it would become 9007199254740992.0"),
        ('{"a": 1.00000000000000001}', "a", "it would become 1.0"),
        ('{"a": 0.12345678901234567}', "a", "it would become 0.12345678901234566"),
        ('{"a": 1e-999}', "a", "it would become 0.0"),
        ('{"a": 1e999999999999999999999}', "a", "beyond ±2^53"),
        ('{"a": 1e-999999999999999999999}', "a", "it would become 0.0"),
        ('{"a": -0}', "a", "would become 0"),
        ('{"a": -0.0}', "a", "lose its sign"),
        ('{"a": -Infinity}', "a", "is -Infinity, which is not JSON"),
        ('{"a": "\\ud83d"}', "a", "half of a character (\\ud83d)"),
        ('{"a": "\\ude00\\ud83d"}', "a", "half of a character (\\ude00)"),
        ('{"a": {"\\ud83d": 1}}', "a.�", "half of a character"),
        ('{"a": "\\u0000"}', "a", "NUL"),
        ('{"a": ' + "9" * 5000 + "}", "a", "a number of 5000 digits"),
    ],
)
def test_a_value_that_would_be_changed_is_named(written, field, reason):
    _value, [fault] = loads(written)
    assert fault.field == field
    assert reason in fault.reason
    json.dumps(fault).encode()  # the report can be stored and sent


@pytest.mark.parametrize("written", ["", "{", "[1,]", "{'a': 1}", "1 2", '"\x00"', "[" * 100_000, '{"a":' * 5000])
def test_text_that_is_not_json_is_reported(written):
    with pytest.raises(ValueError, match=r"\w"):
        loads(written)


def test_whole_numbers_whose_digits_are_kept_may_be_of_any_length():
    written = '{"seed": 123456789012345678901234567890, "settings": {"seed": 123456789012345678901234567890}}'
    value, [fault] = loads(written, digits_kept={"seed"})
    assert value["seed"] == 123456789012345678901234567890
    assert fault.field == "settings.seed"


def test_values_are_read_one_after_the_other():
    read = strict_json.raw_decode('[{"a": 1}, {"b": 2}]', 1)
    assert (read.value, read.end) == ({"a": 1}, 9)
