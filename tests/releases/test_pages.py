"""The pages of releases."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from annotation.models import Annotation
from releases import options, uses, words
from releases.forms import FilterForm
from releases.models import Release
from tests import factories
from tests.releases.releasing import LICENCE, accepted, answered, ask, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(browser_client, researcher):
    return browser_client(researcher)


@pytest.fixture
def get(client, study):
    def page(name, *arguments, **query):
        return client.get(reverse(f"releases:{name}", args=[study.slug, *arguments]), query)

    return page


@pytest.fixture
def release(study):
    accepted(*answered(study, pairs=2))
    return make(study)


CHOSEN = {"decisions": "accepted", "reviewed": "any", "formats": "jsonl"}


def test_reasons_of_rules_and_reviews_are_in_words():
    with translation.override("zh-hans"):
        said = [str(words.in_words(reason)) for reason in ("overlooked", "one_side", "held")]
    assert said == ["漏看了明显可见的内容", "连续 15 次选同一侧", "视频对暂缓分配"]


def test_an_empty_list_says_what_a_release_is(get):
    assert "This study has no releases yet" in get("list").content.decode()


@pytest.mark.long
def test_the_list_names_states_and_the_latest(study, get, release):
    ask(study)
    page = get("list").content.decode()
    assert "Release 1" in page
    assert "Release 2" in page
    assert "latest" in page
    assert "Waiting for a worker" in page
    assert get("progress", 2).json()["said"] == "Waiting for a worker"
    rows = get("list_csv").getvalue().decode("utf-8-sig").splitlines()
    assert [row.split(",")[:4] for row in rows[1:]] == [["2", "waiting", "no", ""], ["1", "done", "no", "2"]]


@pytest.mark.long
def test_the_list_needs_no_more_queries_for_more_releases(study, get, release, django_assert_max_num_queries):
    with CaptureQueriesContext(connection) as first:
        get("list")
    make(study, parent=release.number)
    make(study)
    with django_assert_max_num_queries(len(first)):
        get("list")


@pytest.mark.long
def test_what_was_made_from_a_release_is_named_on_its_page(get, release, monkeypatch):
    monkeypatch.setitem(uses.uses, "test", lambda of: [uses.Use(f"Model of release {of.number}", "/models/1/")])
    asked = {"kind": "answer", "key": str(Annotation.objects.first().pk)}
    for page in (get("release", release.number), get("withdraw", **asked)):
        assert '<a href="/models/1/">Model of release 1</a>' in page.content.decode()


def test_every_choice_of_the_form_is_on_the_page(study, get):
    page = get("new").content.decode()
    only_with_a_choice = {"languages", "protocol_versions"}
    fields = set(FilterForm(study=study).fields) - only_with_a_choice
    assert {name for name in fields if f'name="{name}"' not in page} == set()


def test_nothing_is_made_before_the_preview_shows_the_funnel(study, get, client):
    [one, two] = answered(study, pairs=2)
    accepted(one)
    page = get("new", **CHOSEN).content.decode()
    assert "Make a release of 1 answer" in page
    assert "in no lot: 1" in page
    assert not Release.objects.exists()
    path = reverse("releases:new", args=[study.slug])
    response = client.post(path, CHOSEN | {"licence": LICENCE, "terms": "Cite us."})
    made = Release.objects.get()
    assert response.url == reverse("releases:release", args=[study.slug, made.number])
    assert (made.licence, made.terms, made.state) == (LICENCE, "Cite us.", "waiting")
    assert two.pair_id != one.pair_id


def test_an_empty_preview_says_which_step_left_nothing(study, get):
    answered(study)
    page = get("new", **CHOSEN).content.decode()
    assert "By default only accepted lots are released." in page
    assert "Make the release" not in page


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"lots": "1, x"}, "Write whole numbers, separated by commas."),
        ({"lots": "99"}, "This study has no such choice: 99."),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "The last day is before the first."),
        ({"decisions": []}, "Choose at least one kind of lots."),
    ],
)
def test_wrong_fields_are_named(get, wrong, sentence):
    response = get("new", **(CHOSEN | wrong))
    assert response.status_code == 400
    assert sentence in response.content.decode()


@pytest.mark.long
def test_a_missing_licence_is_asked_for_and_nothing_is_lost(study, client):
    accepted(*answered(study))
    response = client.post(reverse("releases:new", args=[study.slug]), CHOSEN | {"licence": "", "terms": "Cite us."})
    page = response.content.decode()
    assert response.status_code == 400
    assert "Name the licence." in page
    assert "Cite us." in page
    assert "Make a release of 1 answer" in page


@pytest.mark.long
def test_a_release_shows_its_files_its_funnel_and_how_it_is_cited(study, get, release):
    page = get("release", release.number).content.decode()
    for file in release.files.all():
        assert file.sha256 in page
        assert reverse("api:release_file", args=[release.pk, file.path]) in page
    assert f"Release {release.number}, " in page
    response = get("funnel_csv", release.number)
    rows = response.getvalue().decode("utf-8-sig").splitlines()
    assert rows[0] == "stage,left_out_because,answers"
    assert "submitted,,2" in rows
    assert "released,,2" in rows


@pytest.mark.long
def test_a_successor_begins_with_the_same_choices(study, get, release):
    page = get("new", **{"from": release.number}).content.decode()
    assert f'<option value="{release.number}" selected>' in page
    factories.pair(study)
    accepted(factories.answer(factories.member(study, "annotator"), study))
    successor = make(study, parent=release.number)
    page = get("release", successor.number).content.decode()
    assert "1 revisions added, 0 removed, 0 changed" in page


@pytest.mark.long
def test_a_release_can_be_cancelled_on_its_page(study, client, release):
    waiting = ask(study)
    client.post(reverse("releases:cancel", args=[study.slug, waiting.number]))
    page = client.get(reverse("releases:release", args=[study.slug, waiting.number])).content.decode()
    assert "This release was cancelled" in page


@pytest.mark.long
def test_a_withdrawal_shows_the_releases_first_and_then_ends_them(study, client, get, release):
    asked = {"kind": "answer", "key": str(Annotation.objects.first().pk)}
    page = get("withdraw", **asked).content.decode()
    assert "A withdrawal cannot be undone." in page
    assert reverse("releases:release", args=[study.slug, release.number]) in page
    path = reverse("releases:withdraw", args=[study.slug])
    assert client.post(path, asked | {"reason": ""}).status_code == 400
    assert client.post(path, asked | {"reason": "Asked"}).status_code == 302
    page = get("release", release.number).content.decode()
    assert "This release was withdrawn" in page
    assert "one answer · " in page
    assert reverse("api:release_file", args=[release.pk, "annotations.jsonl"]) not in page
    assert get("withdraw", kind="answer", key="0").status_code == 400
    rows = get("withdrawals_csv").getvalue().decode("utf-8-sig").splitlines()
    assert rows[0] == "withdrawn_on,kind,reason,releases"
    assert rows[1].endswith(f",answer,Asked,{release.number}")


class TestFormats:
    def test_the_questions_of_the_columns_are_chosen_in_the_form_and_shown(self, study, client, get):
        accepted(*answered(study))
        chosen = CHOSEN | {"formats": ["videoreward"], "videoreward_MQ": "informativeness"}
        page = get("new", **chosen).content.decode()
        assert '<option value="informativeness" selected>' in page
        assert '<option value="aesthetics" selected>' in page  # of a column that the address does not name
        assert '<input type="hidden" name="videoreward_MQ" value="informativeness">' in page
        client.post(reverse("releases:new", args=[study.slug]), chosen | {"licence": LICENCE})
        made = Release.objects.get()
        assert made.options["videoreward"] == options.VIDEOREWARD_COLUMNS | {"MQ": "informativeness"}
        assert "MQ, motion quality: Eventful" in get("release", made.number).content.decode()
        like = get("new", **{"from": made.number}).content.decode()
        assert '<option value="informativeness" selected>' in like

    def test_another_question_than_ours_is_refused(self, study, get):
        accepted(*answered(study))
        assert get("new", **CHOSEN | {"videoreward_MQ": "beauty"}).status_code == 400
