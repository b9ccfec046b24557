"""The page of a release says what its SafeSora files leave out."""

import pytest
from django.urls import reverse

from tests import factories
from tests.releases.releasing import accepted, answered, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def get(browser_client, researcher, study):
    client = browser_client(researcher)

    def page(name, release):
        return client.get(reverse(name, args=[study.slug, release.number]))

    return page


def test_what_the_safesora_files_leave_out_is_counted_with_its_reason(study, get):
    accepted(*answered(study))
    made = make(study, formats=["safesora"])
    page = get("releases:release", made).content.decode()
    assert "What the SafeSora files leave out" in page
    assert "The prompt is neither for training nor for testing." in page
    assert reverse("api:release_file", args=[made.pk, "SafeSora/left_out.jsonl"]) in page
    rows = get("release_formats:left_out_csv", made).getvalue().decode("utf-8-sig").splitlines()
    assert rows == ["what,reason,number", "prompts,excluded,1", "tv_pairs,excluded,2", "pairs,excluded,1"]


@pytest.mark.long
def test_nothing_left_out_is_said_and_other_formats_say_nothing(study, get):
    prompt = factories.prompt(study, split="train", labels=[], labelled_by="model 1")
    accepted(*answered(study, prompt=prompt))
    page = get("releases:release", make(study, formats=["safesora"])).content.decode()
    assert "Every prompt, video and pair of this release is in them." in page
    assert "SafeSora files" not in get("releases:release", make(study)).content.decode()
