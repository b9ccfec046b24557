"""Every list of names is in the order that people expect."""

import pytest
from django.urls import reverse

from accounts.models import User
from diptych.database.natural import Natural, natural_key
from studies.models import Membership
from tests import factories

pytestmark = pytest.mark.django_db

LONG = f"lab-{'9' * 20}"
NAMES = ["lab-1", "lab-2", "Lab-3", "lab-10", "lab-10a", "lab-010b", "lab-100", LONG, "m", "人-2", "人-10"]


def test_numbers_in_names_are_compared_as_numbers():
    for name in reversed(NAMES):
        factories.person(username=name)
    assert list(User.objects.order_by(Natural("username"), "username").values_list("username", flat=True)) == NAMES
    shuffled = [NAMES[index] for index in (10, 3, 7, 0, 9, 1, 8, 2, 6, 4, 5)]
    assert sorted(shuffled, key=natural_key) == NAMES


@pytest.mark.long
def test_people_and_studies_are_listed_in_natural_order(study, researcher, browser_client):
    for number in (10, 2, 1):
        factories.member(study, "annotator", username=f"lab-{number}")
        other = factories.study(title=f"Study of lab {number}", slug=f"of-lab-{number}")
        Membership.objects.create(study=other, person=researcher, role="researcher")
    client = browser_client(researcher)
    page = client.get(reverse("studies:people", args=[study.slug])).content.decode()
    assert page.index(">lab-1<") < page.index(">lab-2<") < page.index(">lab-10<")
    page = client.get(reverse("home")).content.decode()
    titles = [page.index(f"<h2>Study of lab {number}<") for number in (1, 2, 10)]
    assert titles == sorted(titles)
