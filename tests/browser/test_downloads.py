"""Downloads that have to wait for others, in a real browser."""

import psycopg
import pytest
from django.db import connection
from django.urls import reverse
from playwright.sync_api import expect

from diptych.database.locks import Key
from diptych.downloads import PLACES
from tests import factories


@pytest.fixture
def others():
    """Keep two downloads of somebody else going while the connection is open."""
    settings = connection.settings_dict
    names = {"USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port", "NAME": "dbname"}
    with psycopg.connect(**{names[key]: settings[key] for key in names}, autocommit=True) as other:
        for place in range(PLACES):
            other.execute("SELECT pg_advisory_lock(%s, %s)", [int(Key.DOWNLOAD), place])
        yield other


@pytest.mark.long
def test_a_download_that_must_wait_says_so_and_starts_by_itself(open_page, study, researcher, others):
    factories.prompt(study)
    page = open_page(reverse("catalog:prompts", args=[study.slug]), researcher)
    page.get_by_role("link", name="Download as CSV").click()
    expect(page.get_by_role("heading", name="Other downloads are being prepared.")).to_be_visible()
    with page.expect_download() as downloading:
        others.close()
    assert downloading.value.suggested_filename == f"{study.slug}-prompts.csv"
    assert len(downloading.value.path().read_text("utf-8-sig").splitlines()) == 2
