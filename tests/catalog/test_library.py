"""The library: filters and paging of its lists, and the pages of a prompt, a video and a pair."""

import itertools
import json

import psycopg
import pytest
from django.db import connection

from accounts.models import ViewingPreference
from catalog.library import views
from catalog.models import Pair, Provenance, Video
from diptych import paging
from safety import quarantine
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def library(study, researcher, browser_client):
    """Return a function that requests a page of the study's library as a researcher."""
    client = browser_client(researcher)

    def ask(path="", query=None, status=200):
        response = client.get(f"/studies/{study.slug}/library/{path}", query or {})
        assert response.status_code == status, response.content[:500]
        return response

    return ask


def ids(response, kind):
    """Return the public ids of the rows on a page of a list."""
    return [row[kind].public_id for row in response.context["rows"]]


# --- Filters


def test_prompts_are_found_by_words_in_any_place_and_language(study, library):
    one = factories.prompt(study, text="A red ball rolls down a hill")
    other = factories.prompt(study, text="一只红球滚下山坡", language="zh")
    factories.prompt(study, text="A blue ball stands still: 50% off_")
    assert ids(library(query={"q": "BALL red"}), "prompt") == [one.public_id]
    assert ids(library(query={"q": "红球"}), "prompt") == [other.public_id]
    assert ids(library(query={"q": "50%"}), "prompt") != []
    assert ids(library(query={"q": "5_%"}), "prompt") == []
    assert ids(library(query={"q": other.public_id[:14].upper()}), "prompt") == [other.public_id]


@pytest.mark.parametrize(
    ("values", "query"),
    [
        ({"prompt_type": "safety_critical"}, {"prompt_type": "safety_critical"}),
        ({"set": "eval"}, {"set": "eval"}),
        ({"split": "test"}, {"split": "test"}),
        ({"language": "zh"}, {"language": "zh"}),
        ({"source": "researcher"}, {"source": "researcher"}),
        ({"cluster": "c-7"}, {"cluster": "c-7"}),
        ({"labels": ["crime", "hate"], "labelled_by": "m"}, {"label": "hate"}),
        ({"labels": [], "labelled_by": "m"}, {"label": "nothing"}),
    ],
)
def test_each_filter_of_prompts_finds_its_own(study, library, values, query):
    factories.prompt(study, split="train")
    wanted = factories.prompt(study, **values)
    assert ids(library(query=query), "prompt") == [wanted.public_id]


def test_prompts_without_split_or_label_are_found(study, library):
    plain = factories.prompt(study)
    factories.prompt(study, split="train", labels=[], labelled_by="m")
    assert ids(library(query={"split": "undecided"}), "prompt") == [plain.public_id]
    assert ids(library(query={"label": "unlabelled"}), "prompt") == [plain.public_id]


def test_videos_are_found_by_where_they_come_from_and_how_far_they_are(study, library):
    about = factories.prompt(study)
    ready = factories.video(about, generator="model-x", generator_version="2", licence="CC0")
    failed = factories.video(about, asset=factories.asset(state="failed", reason="The file is empty."))
    waiting = factories.video(about, asset=factories.asset(state="waiting"))
    for query, found in (
        ({"generator": "model-x"}, ready),
        ({"generator_version": "2"}, ready),
        ({"licence": "CC0"}, ready),
        ({"state": "failed"}, failed),
        ({"state": "preparing"}, waiting),
        ({"q": ready.public_id[:8]}, ready),
    ):
        assert ids(library("videos/", query), "video") == [found.public_id], query
    assert "The file is empty." in library("videos/").content.decode()


@pytest.mark.long
def test_pairs_are_found_by_batch_state_and_marks(study, library):
    pairs = {
        "open": factories.pair(study),
        "done": factories.pair(study, open_slots=0, in_sample=True, wanted=3),
        "held": factories.pair(study, held="Too dark to judge", batch=factories.batch(study, number=2)),
        "preparing": factories.pair(study, ready=False, look_alike=True, may_show=["crime"]),
    }
    for query, found in (
        *(({"state": state}, state) for state in pairs),
        ({"batch": "2"}, "held"),
        ({"reason": "dark"}, "held"),
        ({"in_sample": "yes"}, "done"),
        ({"look_alike": "yes"}, "preparing"),
        ({"may_show": "crime"}, "preparing"),
        ({"may_show": "any"}, "preparing"),
        ({"q": pairs["open"].public_id[:10]}, "open"),
    ):
        assert ids(library("pairs/", query), "pair") == [pairs[found].public_id], query
    assert len(ids(library("pairs/", {"may_show": "nothing"}), "pair")) == 3
    assert ids(library("pairs/", {"batch": "9"}), "pair") == []


@pytest.mark.parametrize(
    ("path", "query", "words"),
    [
        ("", {"split": "nonsense"}, "nonsense"),
        ("pairs/", {"q": "xyz!"}, "the first 4 characters"),
        ("pairs/", {"batch": "0"}, "not less than 1"),
    ],
)
def test_a_filter_that_cannot_be_is_marked_and_nothing_is_looked_up(library, path, query, words):
    page = library(path, query, status=400).content.decode()
    assert words in page
    assert "Fix the highlighted filter" in page


@pytest.mark.parametrize("query", [{"sort": "sideways"}, {"after": "nowhere"}, {"before": "f" * 64}])
def test_an_order_or_a_place_that_never_was_is_not_found(study, library, query):
    factories.prompt(study)
    library("", query, status=404)


# --- Pages


def turn(library, path, query, way):
    """Return the ids of all pages from this one on, by following their links."""
    found, kind = [], {"": "prompt", "videos/": "video", "pairs/": "pair"}[path]
    while True:
        response = library(path, query)
        found.append(ids(response, kind))
        place = getattr(response.context["page"], "next" if way == "after" else "previous")
        if not place:
            return found
        query = {name: value for name, value in query.items() if name not in {"after", "before"}} | {way: place}


def flat(pages):
    return list(itertools.chain.from_iterable(pages))


@pytest.mark.long
@pytest.mark.parametrize("sort", ["newest", "oldest", "soonest", "latest"])
def test_pages_forth_and_back_show_every_row_once_in_order(study, library, monkeypatch, sort):
    monkeypatch.setattr(paging, "PAGE", 3)
    for number in range(8):
        factories.pair(study, priority=number % 3)
    forth = turn(library, "pairs/", {"sort": sort}, "after")
    assert [len(page) for page in forth] == [3, 3, 2]
    order = {
        "newest": ("-pk",),
        "oldest": ("pk",),
        "soonest": ("-priority", "-pk"),
        "latest": ("priority", "pk"),
    }[sort]
    everything = list(Pair.objects.order_by(*order).values_list("public_id", flat=True))
    assert flat(forth) == everything
    back = turn(library, "pairs/", {"sort": sort, "before": forth[2][0]}, "before")
    assert flat(reversed(back)) == everything[:6]


def test_videos_without_a_length_have_their_place_in_the_order_by_length(study, library, monkeypatch):
    monkeypatch.setattr(paging, "PAGE", 2)
    about = factories.prompt(study)
    lengths = [3.0, None, 1.0, None, 2.0]
    made = [
        factories.video(about, asset=factories.asset(duration_s=length) if length else factories.asset(state="waiting"))
        for length in lengths
    ]
    wanted = [made[place].public_id for place in (0, 4, 2, 3, 1)]
    assert flat(turn(library, "videos/", {"sort": "longest"}, "after")) == wanted


def test_a_filter_stays_on_every_page_and_a_new_one_begins_at_the_first(study, library, monkeypatch):
    monkeypatch.setattr(paging, "PAGE", 1)
    factories.prompt(study, language="zh", text="一")
    factories.prompt(study, language="zh", text="二")
    factories.prompt(study)
    pages = turn(library, "", {"language": "zh"}, "after")
    assert [len(page) for page in pages] == [1, 1]
    response = library("", {"language": "zh", "after": pages[0][0], "q": ""})
    assert response.context["address"].having("sort", "oldest") == "?language=zh&sort=oldest"


def test_counting_ends_where_nobody_would_count_on(study, library, monkeypatch):
    monkeypatch.setattr(paging, "PAGE", 2)
    monkeypatch.setattr(paging, "MOST_COUNTED", 4)
    for _ in range(6):
        factories.prompt(study)
    assert "<b>4+</b>" in library().content.decode()
    assert "<b>6</b>" not in library().content.decode()


@pytest.mark.django_db(transaction=True)
def test_what_takes_too_long_ends_with_words(study, library, monkeypatch):
    """Another connection locks the table, so that the database returns nothing."""
    factories.prompt(study)
    monkeypatch.setattr(views, "PAGE_LIMIT_S", 0.1)
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as other:
        other.execute("LOCK TABLE catalog_prompt IN ACCESS EXCLUSIVE MODE")
        page = library(status=503).content.decode()
    assert "The search took too long" in page
    assert "The search took too long" not in library().content.decode()


@pytest.mark.parametrize(("path", "most"), [("", 13), ("videos/", 13), ("pairs/", 11)])
def test_a_list_takes_the_same_queries_however_long(study, library, django_assert_max_num_queries, path, most):
    factories.pairs(study, 20)
    with django_assert_max_num_queries(most):
        library(path)


# --- What nobody may see


@pytest.fixture(params=["everywhere", "held"])
def reported(request, study):
    """Return a pair whose first video is hidden everywhere, or only held because its reporter has many open reports."""
    pair = factories.pair(study)
    person = factories.member(study, "annotator")
    if request.param == "held":
        for other in factories.pairs(factories.study(), 5):
            quarantine.report(other, ["video_0"], by=person)
    quarantine.report(pair, ["video_0"], by=person)
    pair.refresh_from_db()
    return pair


def test_what_is_in_quarantine_is_nowhere(study, library, reported):
    factories.pair(study, prompt=reported.prompt, video_0=reported.video_1)
    dark = (reported.public_id, reported.video_0.public_id, reported.video_0.asset.public_id)
    paths = ["", "videos/", "pairs/", "prompts.csv", "videos.csv", "pairs.csv"]
    paths += [f"prompts/{reported.prompt.public_id}/", f"videos/{reported.video_1.public_id}/"]
    for path in paths:
        response = library(path)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        assert reported.video_1.public_id[:12].encode() in content or path in {"", "pairs/", "prompts.csv"}
        for public_id in dark:
            assert public_id[:12].encode() not in content, path
    library(f"pairs/{reported.public_id}/", status=404)
    library(f"videos/{reported.video_0.public_id}/", status=404)
    assert library(query={"q": reported.prompt.text}).context["rows"][0]["videos"] == 2


def test_another_pair_with_a_reported_video_is_listed_but_not_played(study, library):
    pair = factories.pair(study)
    beside = factories.pair(study, prompt=pair.prompt, video_0=pair.video_0)
    person = factories.member(study, "annotator")
    for other in factories.pairs(factories.study(), 5):
        quarantine.report(other, ["video_0"], by=person)
    assert library(f"pairs/{beside.public_id}/").context["on_page"]
    quarantine.report(pair, ["video_0"], by=person)
    assert library(f"pairs/{beside.public_id}/").context["on_page"] == ""


def test_another_studys_rows_are_not_found(study, library):
    elsewhere = factories.pair(factories.study())
    library(f"prompts/{elsewhere.prompt.public_id}/", status=404)
    library(f"videos/{elsewhere.video_0.public_id}/", status=404)
    library(f"pairs/{elsewhere.public_id}/", status=404)
    library("pairs/", {"after": elsewhere.public_id}, status=404)
    assert ids(library("pairs/"), "pair") == []


# --- One prompt, one video, one pair


def test_a_prompt_shows_its_provenance_videos_and_pairs(study, library):
    about = factories.prompt(
        study, labels=["crime"], labelled_by="gpt-4", source="real_user", source_detail="forum", licence=""
    )
    Provenance.objects.create(study=study, kind="source", name="forum", licence="CC BY", terms="See the forum’s rules.")
    pair = factories.pair(study, prompt=about)
    page = library(f"prompts/{about.public_id}/").content.decode()
    for words in ("Crime", "gpt-4", "forum", "CC BY", "See the forum", pair.public_id[:12]):
        assert words in page


def test_a_video_shows_how_it_was_made(study, library):
    about = factories.prompt(study)
    origin = factories.video(about)
    video = factories.video(
        about,
        generator="model-x",
        generator_version="2.1",
        seed="42",
        settings={"steps": 50},
        video_text="A crimson ball",
        refined_by="rewriter",
        derived_from=origin,
    )
    page = library(f"videos/{video.public_id}/").content.decode()
    for words in ("model-x", "2.1", "42", "steps: 50", "A crimson ball", "rewriter", origin.public_id[:12]):
        assert words in page


def test_a_failed_video_says_why_and_has_no_player(study, library):
    failed = factories.asset(state="failed", reason="The file has no picture, only sound.")
    pair = factories.pair(study, ready=False)
    Video.objects.filter(pk=pair.video_0_id).update(asset=failed)
    page = library(f"videos/{pair.video_0.public_id}/").content.decode()
    assert "The file has no picture, only sound." in page
    assert "<video" not in page
    page = library(f"pairs/{pair.public_id}/").content.decode()
    assert "This pair cannot be played yet" in page
    assert "<video" not in page


def on_page(response):
    return json.loads(response.context["on_page"])


def test_the_players_addresses_are_the_persons_own(study, library, researcher):
    pair = factories.pair(study)
    told = on_page(library(f"pairs/{pair.public_id}/"))
    assert f"s={researcher.pk}." in told["video_0"]["playback_url"]
    assert pair.video_0.asset.original not in json.dumps(told)


@pytest.mark.parametrize(
    ("own", "of_study", "filtered"),
    [("", "blur", "blur"), ("greyscale", "blur", "greyscale"), ("none", "blur", "none"), ("blur", "none", "blur")],
)
def test_pictures_follow_what_the_person_chose_and_else_the_study(study, library, researcher, own, of_study, filtered):
    study.media_filter = of_study
    study.save()
    ViewingPreference.objects.create(user=researcher, media_filter=own)
    harmful = factories.pair(study, may_show=["crime"])
    assert on_page(library(f"pairs/{harmful.public_id}/"))["media_filter"] == filtered
    video, prompt = harmful.video_0.public_id, harmful.prompt.public_id
    assert library(f"videos/{video}/").context["veil"] == filtered
    assert {row["veil"] for row in library("videos/").context["rows"]} == {filtered}
    assert {row["veil"] for row in library(f"prompts/{prompt}/").context["videos"]} == {filtered}


@pytest.mark.parametrize("values", [{"prompt_type": "safety_critical"}, {"labels": ["violence"], "labelled_by": "m"}])
def test_what_its_prompt_asks_for_is_veiled_too(study, library, values):
    study.media_filter = "blur"
    study.save()
    factories.pair(study, prompt=factories.prompt(study, **values))
    assert {row["veil"] for row in library("videos/").context["rows"]} == {"blur"}


def test_what_is_harmless_is_shown_plain(study, library):
    study.media_filter = "blur"
    study.save()
    pair = factories.pair(study)
    assert on_page(library(f"pairs/{pair.public_id}/"))["sensitive"] is False
    assert library(f"videos/{pair.video_0.public_id}/").context["veil"] == "none"


def test_harms_are_named_before_the_reveal_only_for_who_asked(study, library, researcher):
    pair = factories.pair(study, may_show=["crime"])
    assert on_page(library(f"pairs/{pair.public_id}/"))["may_show"] == []
    ViewingPreference.objects.create(user=researcher, name_categories=True)
    assert on_page(library(f"pairs/{pair.public_id}/"))["may_show"] == ["crime"]


# --- Who


def test_only_who_runs_the_study_browses(study, browser_client):
    for role in ("annotator", "reviewer", "wellbeing_contact"):
        client = browser_client(factories.member(study, role))
        assert client.get(f"/studies/{study.slug}/library/").status_code == 403, role
