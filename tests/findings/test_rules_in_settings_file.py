"""The rules of a study are in its settings file, and a copy of its settings has them."""

import json

import pytest
from jsonschema import Draft202012Validator, ValidationError

from accounts.models import AuditEvent
from diptych.refusals import BadInput, ChangedMeanwhile
from findings import rule_codes, switches
from studies import settings_file
from tests import factories

pytestmark = pytest.mark.django_db

RULES = {"on": ["contradiction", "one_side"], "invalidating": ["one_side"], "ask_again": True}


@pytest.fixture
def strict(researcher):
    study = factories.study(slug="strict")
    switches.change_rules(study, **RULES, seen=switches.as_seen(switches.rules_of(study)), actor=researcher)
    return study


def content(**rules):
    file = {"format": settings_file.FORMAT, "version": 1, "parts": {"rules": RULES | rules}}
    return json.dumps(file).encode()


def test_the_rules_stand_in_the_file_and_in_its_schema(strict):
    file = settings_file.as_file(strict)
    assert file["parts"]["rules"] == RULES
    validator = Draft202012Validator(settings_file.schema())
    validator.validate(file)
    file["parts"]["rules"]["on"] = ["no_such_rule"]
    with pytest.raises(ValidationError):
        validator.validate(file)


def test_a_copy_of_the_settings_has_the_same_rules(strict, study, researcher):
    settings_file.copy_settings(strict, study, actor=researcher)
    assert switches.as_seen(switches.rules_of(study)) == RULES
    assert AuditEvent.objects.filter(action="findings.rules_changed", study_slug=study.slug).exists()


def test_a_file_changes_the_rules_and_the_page_says_so_before(study, researcher):
    wanted = settings_file.read(content(), study)
    (difference,) = settings_file.differences(wanted, study)
    assert difference.name == "Rules"
    assert difference.before != difference.after
    seen = settings_file.state_of(study)
    assert settings_file.apply(study, wanted, made_from=json.loads(json.dumps(seen)), actor=researcher) == 1
    assert switches.as_seen(switches.rules_of(study)) == RULES
    again = settings_file.state_of(study)
    assert settings_file.apply(study, wanted, made_from=again, actor=researcher) == 0
    assert settings_file.differences(wanted, study) == []


def test_an_older_file_without_rules_leaves_them_as_they_are(strict, researcher):
    wanted = settings_file.read(json.dumps({"format": settings_file.FORMAT, "version": 1}).encode(), strict)
    assert settings_file.apply(strict, wanted, made_from=settings_file.state_of(strict), actor=researcher) == 0
    assert switches.as_seen(switches.rules_of(strict)) == RULES


def test_rules_that_somebody_else_changed_meanwhile_are_not_overwritten(study, researcher):
    seen, wanted = settings_file.state_of(study), settings_file.read(content(), study)
    default = switches.as_seen(switches.rules_of(study))
    switches.change_rules(study, **default | {"ask_again": not default["ask_again"]}, seen=default, actor=researcher)
    with pytest.raises(ChangedMeanwhile):
        settings_file.apply(study, wanted, made_from=seen, actor=researcher)
    assert switches.rules_of(study).on == default["on"]


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"on": ["no_such_rule"]}, r"parts.rules: There is no such rule: no_such_rule"),
        ({"on": ["contradiction"]}, "A rule must be on before"),
        ({"on": "contradiction"}, "must be lists of rules"),
        ({"ask_again": 1}, "“ask_again” must be true or false"),
        ({"more": 1}, "must be an object with"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(study, rules, words):
    with pytest.raises(BadInput, match=words):
        settings_file.read(content(**rules), study)


def test_unknown_parts_are_refused(study):
    file = {"format": settings_file.FORMAT, "version": 1, "parts": {"people": {}}}
    with pytest.raises(BadInput, match="“people”"):
        settings_file.read(json.dumps(file).encode(), study)
    with pytest.raises(BadInput, match="parts: this must be an object"):
        settings_file.read(json.dumps(file | {"parts": []}).encode(), study)


def test_every_rule_can_be_in_a_file(study):
    everything = {"on": list(rule_codes.CODES), "invalidating": list(rule_codes.MAY_INVALIDATE)}
    assert settings_file.read(content(**everything), study).parts["rules"]["on"] == list(rule_codes.CODES)
