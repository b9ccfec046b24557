"""Signing in without leaving a page, and requests that name the person for whom the page was made."""

import pytest
from django.test import Client
from django.urls import reverse

from annotation.models import Assignment
from tests import factories

pytestmark = pytest.mark.django_db

PASSWORD = "a password of its own"
ADDRESS = "/accounts/sign-in-in-place/"


@pytest.fixture
def visitor():
    """Return a browser that must send the CSRF token, as real ones must."""
    return Client(enforce_csrf_checks=True)


def sign_in(client, person, password=PASSWORD):
    token = client.get(ADDRESS).json()["csrf"]
    body = {"username": person.username, "password": password}
    return client.post(ADDRESS, body, headers={"X-CSRFToken": token})


def test_a_person_signs_in_and_is_named(visitor, annotator):
    response = sign_in(visitor, annotator)
    assert response.json() == {"person": str(annotator.pk), "name": annotator.username}
    assert visitor.get(ADDRESS).json()["person"] == str(annotator.pk)


def test_nobody_is_nobody(visitor):
    assert visitor.get(ADDRESS).json().items() >= {"person": None, "name": None}.items()


def test_a_wrong_password_is_a_sentence(visitor, annotator):
    response = sign_in(visitor, annotator, "not it")
    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert "password" in response.json()["detail"]
    assert visitor.get(ADDRESS).json()["person"] is None


def test_without_a_token_nobody_is_signed_in(visitor, annotator):
    response = visitor.post(ADDRESS, {"username": annotator.username, "password": PASSWORD})
    assert response.status_code == 403
    assert visitor.get(ADDRESS).json()["person"] is None


def test_a_one_time_password_is_sent_to_the_page_where_it_is_changed(visitor):
    person = factories.person(must_change_password=True)
    response = sign_in(visitor, person)
    assert (response.status_code, response.json()["code"]) == (403, "password_change_required")
    assert visitor.get(ADDRESS).json()["person"] is None


def test_the_language_of_the_person_comes_with_them(visitor, study):
    sign_in(visitor, factories.member(study, "annotator", locale="zh-hans"))
    assert visitor.get(reverse("accounts:sign_in"), follow=True).headers["Content-Language"] == "zh-hans"


def test_no_answer_of_a_sign_in_is_cached(visitor, annotator):
    assert "no-store" in sign_in(visitor, annotator).headers["Cache-Control"]


def test_an_answer_names_who_is_signed_in(api, study, annotator):
    response = api(annotator).get(f"/api/v1/studies/{study.slug}/")
    assert response.headers["X-Diptych-Person"] == str(annotator.pk)


def test_a_page_made_for_one_person_does_nothing_in_the_name_of_another(api, study, annotator):
    factories.pairs(study, 2)
    other = factories.member(study, "annotator")
    response = api(other).post(
        f"/api/v1/studies/{study.slug}/assignments/", headers={"X-Diptych-Person": str(annotator.pk)}
    )
    assert (response.status_code, response.json()["code"]) == (403, "somebody_else")
    assert other.username in response.json()["detail"]
    assert not Assignment.objects.exists()


def test_a_page_made_for_who_is_signed_in_goes_on(api, study, annotator):
    factories.pairs(study, 2)
    response = api(annotator).post(
        f"/api/v1/studies/{study.slug}/assignments/", headers={"X-Diptych-Person": str(annotator.pk)}
    )
    assert response.status_code == 200
