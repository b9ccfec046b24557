"""A study's progress, as a page and as counts."""

import pytest
from django.urls import reverse

from annotation import serving
from answers.study_progress import progress
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(browser_client, researcher, study):
    client = browser_client(researcher)
    return lambda: client.get(reverse("figures:dashboard", args=[study.slug]))


def answer_one(api, person, study, **values):
    client = api(person)
    leased = client.post(f"/api/v1/studies/{study.slug}/assignments/").json()
    path = f"/api/v1/assignments/{leased['current']['id']}/submit/"
    assert client.post(path, factories.body(**values), format="json").status_code == 201


def test_counts_follow_what_happened(api, study, annotator):
    factories.pairs(study, 3, wanted=2)
    factories.pair(study, held="checked by a researcher")
    factories.pair(study, ready=False)
    answer_one(api, annotator, study)
    serving.lease(factories.member(study, "annotator"), study)
    contradiction = {"video_0": {"tags": ["hate"]}, "video_1": {"tags": []}, "overall": "video_0"}
    answer_one(api, annotator, study, harmlessness=contradiction)
    counts = progress(study)
    assert (counts.pairs, counts.pairs_held, counts.pairs_preparing, counts.pairs_done) == (4, 1, 1, 0)
    assert (counts.answers_wanted, counts.answers_counted, counts.answers_invalid) == (8 - 1, 2, 1)
    assert counts.people == 1


def test_an_empty_study_has_a_page(page):
    assert page().status_code == 200


def test_a_failed_video_is_shown_with_its_reason(page, study):
    broken = factories.asset(state="failed", reason="The file is not a video that ffmpeg can read.")
    factories.video(factories.prompt(study), asset=broken)
    assert "The file is not a video that ffmpeg can read." in page().content.decode()


def test_the_download_is_offered_to_people_who_may_use_it(page, browser_client, study):
    download = reverse("api:annotations", args=[study.slug])
    assert download in page().content.decode()
    reviewer = factories.member(study, "reviewer")
    address = reverse("figures:dashboard", args=[study.slug])
    assert download not in browser_client(reviewer).get(address).content.decode()


def test_the_number_of_queries_does_not_grow_with_the_study(page, study, django_assert_max_num_queries):
    for _ in range(12):
        broken = factories.asset(state="failed", reason="Broken off.")
        factories.video(factories.prompt(study), asset=broken)
    with django_assert_max_num_queries(9):
        page()
