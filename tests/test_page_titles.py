"""Every page has a title of its own: tabs, bookmarks, histories and screen readers show nothing else."""

import re
from collections import defaultdict

import pytest
from django.db import transaction

from consent import agreements
from studies.models.memberships import Role
from tests import factories
from tests.permission_rows import MATRIX
from tests.world import Worlds

pytestmark = pytest.mark.django_db


@pytest.mark.long
def test_no_two_pages_have_the_same_title(browser_client):
    worlds = Worlds()
    person = factories.person(is_superuser=True)
    for world in worlds.made.values():
        world.store_files()
        for role in Role.values:
            person.memberships.create(study=world.study, role=role)
        agreements.agree(person, world.study, categories=world.study.categories, text="I agree.")
    client = browser_client(person)
    pages = defaultdict(set)
    for name, (method, _expected) in MATRIX.items():
        if method != "get" or name.startswith("api:"):
            continue
        with transaction.atomic():
            response = client.get(worlds.of(name).address(name, person))
            transaction.set_rollback(True)  # the next page finds the same database
        if response.status_code == 200 and response["Content-Type"].startswith("text/html"):
            title = re.search("<title>(.*?)</title>", response.content.decode(), re.DOTALL)
            pages[title[1].strip()].add(name)
    assert len(pages) > 40
    assert {title: names for title, names in pages.items() if len(names) > 1} == {}
    assert "Diptych" not in pages
