"""Display preferences are saved for the person, shown to nobody else, and the same after pressing twice."""

import pytest
from django.conf import settings
from django.urls import reverse

from accounts.models import AuditEvent, ViewingPreference
from tests import factories

pytestmark = pytest.mark.django_db

ADDRESS = "/accounts/viewing/"
CHOSEN = {"media_filter": "blur", "name_categories": "yes", "locale": "zh-hans", "time_zone": "Asia/Shanghai"}


@pytest.fixture
def person():
    return factories.person()


def test_what_is_chosen_is_kept_and_shown_again(browser_client, person):
    client = browser_client(person)
    assert client.post(ADDRESS, CHOSEN).status_code == 302
    person.refresh_from_db()
    kept = person.viewing_preference
    assert (kept.media_filter, kept.name_categories) == ("blur", True)
    assert (person.locale, person.time_zone) == ("zh-hans", "Asia/Shanghai")
    page = client.get(ADDRESS).content.decode()
    assert '<html lang="zh-Hans"' in page
    assert '<option value="Asia/Shanghai" selected>' in page
    assert page.count(" checked") == 2


def test_the_record_says_what_was_changed_but_not_how_the_person_watches(browser_client, person):
    client = browser_client(person)
    for _ in range(2):
        client.post(ADDRESS, CHOSEN)
    [row] = AuditEvent.objects.filter(action="user.preferences_changed")
    assert row.after == {"fields": ["locale", "media_filter", "name_categories", "time_zone"]}
    assert "blur" not in str([row.before, row.after])


def test_before_anything_is_chosen_all_is_left_to_study_browser_and_utc(browser_client, person):
    page = browser_client(person).get(ADDRESS).content.decode()
    assert '<input type="radio" name="media_filter" value="" ' in page
    assert not ViewingPreference.objects.exists()


def test_the_language_can_be_left_to_the_browser_again(browser_client, person):
    client = browser_client(person)
    client.post(ADDRESS, CHOSEN)
    client.post(ADDRESS, CHOSEN | {"locale": ""})
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == ""
    assert '<html lang="en"' in client.get(ADDRESS).content.decode()


@pytest.mark.parametrize(
    "wrong", [{"media_filter": "upside down"}, {"time_zone": "Mars/Base"}, {"locale": "tlh"}, {"name_categories": "1"}]
)
def test_what_is_not_offered_is_refused_and_nothing_is_saved(browser_client, person, wrong):
    response = browser_client(person).post(ADDRESS, CHOSEN | wrong)
    assert response.status_code == 400
    assert "Nothing was saved" in response.content.decode()
    person.refresh_from_db()
    assert (person.locale, person.time_zone) == ("", "")
    assert not ViewingPreference.objects.exists()


def test_the_page_says_what_each_open_study_has_set(browser_client, person):
    for title, values in (("Rain", {"media_filter": "blur"}), ("Snow", {}), ("Fog", {"state": "closed"})):
        study = factories.study(title=title, **{"media_filter": "none"} | values)
        study.memberships.create(person=person, role="annotator")
    page = browser_client(person).get(ADDRESS).content.decode()
    said = page.split("Your studies have set:")[1].split("</ul>")[0]
    assert "Rain" in said.split("</li>")[0]
    assert "blurred until revealed" in said.split("</li>")[0]
    assert "as they are" in said.split("</li>")[1]
    assert "Fog" not in said
    other = browser_client(factories.person()).get(ADDRESS).content.decode()
    assert "Your studies have set" not in other


def test_it_is_in_the_account_menu(browser_client, person):
    assert reverse("accounts:viewing") in browser_client(person).get("/?all=1").content.decode()


def test_nobody_else_is_asked(client):
    assert client.get(ADDRESS).status_code == 302
    assert client.post(ADDRESS, CHOSEN).status_code == 302
