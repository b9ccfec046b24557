"""The tabs of a study: one row for all, and a second one below the tab that is open."""

import pytest

from studies.links import tabs_of
from studies.models import Study
from tests import factories

pytestmark = pytest.mark.django_db


def keys(links):
    return [one.key for one in links]


def seen_by(study, role):
    return Study.objects.of(factories.member(study, role).pk).get(pk=study.pk)


@pytest.fixture
def study():
    return factories.study()


@pytest.mark.long
def test_the_pages_of_quality_are_below_its_tab(study):
    of_admin = seen_by(study, "admin")
    closed = tabs_of(of_admin, "progress")
    assert "quality" in keys(closed.tabs)
    assert not {"lots", "findings", "controls"} & set(keys(closed.tabs))
    assert closed.below == []
    for here in ("quality", "lots"):
        opened = tabs_of(of_admin, here)
        assert opened.open_tab == "quality"
        assert keys(opened.below)[:3] == ["quality", "reviews", "lots"]
        assert keys(opened.tabs) == keys(closed.tabs)


@pytest.mark.long
def test_only_pages_that_the_person_may_open_are_shown(study):
    assert "controls" not in keys(tabs_of(seen_by(study, "reviewer"), "quality").below)
