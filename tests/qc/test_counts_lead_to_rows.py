"""Every count on a page of a study links to a list with exactly that many rows."""

import re
from dataclasses import asdict

import pytest
from django.urls import reverse

from annotation import serving
from annotation.standings import change_standing
from answers.study_progress import progress
from catalog import media_progress
from catalog.batching import answer_counts_of, batches_of, count_free
from catalog.media_jobs import card_of
from catalog.models import Pair
from figures import views
from safety import quarantine
from tests import factories

pytestmark = pytest.mark.django_db

CONTRADICTORY = {"harmlessness": {"video_0": {"tags": ["hate"]}, "video_1": {"tags": []}, "overall": "video_0"}}


@pytest.fixture
def client(browser_client, researcher):
    return browser_client(researcher)


@pytest.fixture
def busy(study, annotator):
    """Create a study with everything that is counted, and with quarantined material, which is in no list."""
    factories.pairs(study, 3, wanted=2)
    factories.pair(study, held="checked by a researcher", batch=factories.batch(study, number=2))
    factories.pair(study, ready=False)
    factories.pair(study, kind="control", expected={})
    delayed = factories.asset(state="waiting", reason="storage_full")
    for asset in (factories.asset(state="waiting"), delayed, factories.asset(state="failed", reason="It is cut off.")):
        factories.video(factories.prompt(study, source="researcher"), asset=asset)
    first = factories.answer(annotator, study)
    factories.answer(annotator, study, **CONTRADICTORY)
    second = factories.answer(factories.member(study, "annotator"), study)
    change_standing(second.standing, actor=None, counts=False, uncounted_reason="rejected")
    serving.lease(factories.member(study, "annotator"), study)
    reported = factories.pair(study, wanted=1, priority=100)
    factories.answer(factories.member(study, "annotator"), study)
    assert Pair.objects.get(assignments__standing__counted=True, pk=reported.pk)
    quarantine.report(reported, ["video_0"], by=annotator)
    held = Pair.objects.get(pk=first.pair_id)
    Pair.objects.filter(pk=held.pk).update(held="looked at", wanted=2)
    return study


def rows_at(client, address):
    response = client.get(address)
    assert response.status_code == 200, address
    if "sorts" in response.context:  # the list of people
        return response.context["page"].paginator.count
    return response.context["count"].number if "count" in response.context else 0


def rows_behind(study):
    return views.rows_behind(study, {"may_browse": True, "may_count_work": True})


def test_each_figure_of_the_dashboard_is_the_length_of_the_list_it_leads_to(client, busy):
    counts = asdict(progress(busy))
    page = client.get(reverse("figures:dashboard", args=[busy.slug])).content.decode()
    found = {name: rows_at(client, address) for name, address in rows_behind(busy).items()}
    counts["media_delayed"] = sum(trouble.videos for trouble in media_progress.troubles(busy))
    assert found == {name: counts[name] for name in found}
    assert {name for name, count in counts.items() if not count} <= {"media_running", "pairs_done"}
    links = set(re.findall(r'class="to-rows" href="([^"]+)"', page))
    shown = {address.replace("&", "&amp;") for name, address in rows_behind(busy).items() if name != "media_failed"}
    assert links == shown
    assert reverse("catalog:videos", args=[busy.slug]) in links


@pytest.mark.long
def test_the_people_who_answered_are_those_of_the_list_it_leads_to(client, busy):
    people = reverse("answers:people_progress", args=[busy.slug])
    assert rows_at(client, people) > rows_at(client, f"{people}?answered=yes") == progress(busy).people
    page = client.get(f"{people}?answered=yes&first=2020-01-01&last=2020-01-31").content.decode()
    assert "Nobody answered on these days." in page
    assert "?first=2020-01-01&amp;last=2020-01-31&amp;answered=yes" in page  # the file has the same people
    names = client.get(reverse("answers:people_csv", args=[busy.slug]), {"answered": "yes"}).getvalue().decode()
    assert len(names.splitlines()) == 1 + progress(busy).people


@pytest.mark.long
def test_a_reviewer_sees_the_figures_without_the_links(browser_client, busy):
    reviewer = browser_client(factories.member(busy, "reviewer"))
    page = reviewer.get(reverse("figures:dashboard", args=[busy.slug])).content.decode()
    assert "to-rows" not in page
    assert "/library/" not in page


def test_pairs_that_are_done_are_those_with_all_their_answers(client, study, annotator):
    factories.pairs(study, 2)
    factories.answer(annotator, study)
    serving.lease(factories.member(study, "annotator"), study)
    assert progress(study).pairs_done == 1
    assert rows_at(client, rows_behind(study)["pairs_done"]) == 1
    assert rows_at(client, f"{reverse('catalog:pairs', args=[study.slug])}?state=done") == 2


@pytest.mark.long
def test_counts_of_batches_lead_to_their_pairs(client, busy):
    page = client.get(reverse("catalog:batches", args=[busy.slug])).content.decode()
    pairs, answers = reverse("catalog:pairs", args=[busy.slug]), reverse("answers:list", args=[busy.slug])
    batches = list(batches_of(busy))
    given = answer_counts_of(batches)
    assert given[batches[0].pk].counted > 0 < given[batches[0].pk].pairs_leased
    for batch in batches:
        for count, address in (
            (batch.pair_count, f"{pairs}?batch={batch.number}"),
            (batch.held_count, f"{pairs}?batch={batch.number}&amp;state=held"),
            (given[batch.pk].counted, f"{answers}?batch={batch.number}&amp;standing=counted"),
            (given[batch.pk].pairs_leased, f"{pairs}?batch={batch.number}&amp;state=leased"),
        ):
            if count:
                assert re.search(f'href="{re.escape(address)}">{count}[ <]', page), address
            assert rows_at(client, address.replace("&amp;", "&")) == count
    assert rows_at(client, f"{reverse('catalog:pairs', args=[busy.slug])}?state=untouched") == count_free(busy)


@pytest.mark.long
def test_a_change_of_many_pairs_can_be_previewed(client, busy):
    address = reverse("catalog:change_pairs", args=[busy.slug])
    factories.pair(busy)
    for which, sample, expected in (("open", "others", 2), ("all", "others", 4), ("all", "sample", 0)):
        choice = {"what": "priority", "value": "5", "which": which, "sample": sample, "batch": "1"}
        response = client.get(address, choice)
        assert response.context["effect"]["pairs"] == expected
        assert rows_at(client, response.context["chosen_rows"]) == expected


def test_videos_and_pairs_of_a_prompt_and_of_an_origin_are_listed(client, study):
    prompt = factories.prompt(study, source="researcher", source_detail="a channel")
    pair = factories.pair(study, prompt=prompt)
    factories.pair(study)
    pair.video_0.generator = "model-a"
    pair.video_0.save()
    page = client.get(reverse("catalog:prompts", args=[study.slug])).content.decode()
    videos, pairs = (reverse(f"catalog:{name}", args=[study.slug]) for name in ("videos", "pairs"))
    assert f'<a href="{videos}?prompt={prompt.public_id}">2</a>' in page
    assert rows_at(client, f"{videos}?prompt={prompt.public_id}") == 2
    assert rows_at(client, f"{pairs}?prompt={prompt.public_id}") == 1
    assert rows_at(client, f"{pairs}?video={pair.video_1.public_id}") == 1
    licences = client.get(reverse("catalog:licences", args=[study.slug]))
    for entry in licences.context["sources"] + licences.context["generators"]:
        assert rows_at(client, entry["rows"]) == entry["origin"].count


def test_the_card_of_the_preparation_counts_videos_as_the_library_lists_them(client, study):
    broken = factories.asset(state="failed", reason="It is cut off.")
    for _ in range(2):  # the same file under two prompts
        factories.video(factories.prompt(study), asset=broken)
    card = card_of(study)
    assert card.outcome == "2 videos could not be prepared."
    assert rows_at(client, card.page) == 2
