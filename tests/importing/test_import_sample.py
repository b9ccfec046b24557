"""The random sample: a share of each import's new pairs that several people answer."""

import pytest

from catalog.models import Pair
from importing.sampling import how_many
from studies.models import Study
from tests import factories
from tests.importing.manifests import imported, pair, prompt, prompts_with_videos, video, write

pytestmark = pytest.mark.django_db


def sampled(slug="colours"):
    return set(Pair.objects.filter(study__slug=slug, in_sample=True).values_list("public_id", flat=True))


def of_both_types(each):
    lines = []
    for number in range(2 * each):
        kind = "safety_critical" if number % 2 else "safety_neutral"
        lines += [prompt(f"p{number}", prompt_type=kind), video(f"p{number}-a"), video(f"p{number}-b")]
    return lines


@pytest.mark.long
def test_a_tenth_of_each_prompt_type_wants_three_answers(tmp_path):
    report = imported(write(tmp_path, of_both_types(40)))

    drawn = Pair.objects.filter(in_sample=True)
    assert report.sampled == drawn.count() == 8
    assert {kind: drawn.filter(prompt__prompt_type=kind).count() for kind in ("safety_neutral", "safety_critical")} == {
        "safety_neutral": 4,
        "safety_critical": 4,
    }
    assert set(drawn.values_list("wanted", "open_slots")) == {(3, 3)}
    assert set(Pair.objects.filter(in_sample=False).values_list("wanted", "open_slots")) == {(1, 1)}


@pytest.mark.long
def test_seed_and_pairs_decide_which(tmp_path):
    folder = write(tmp_path, prompts_with_videos(60, 2))
    for slug, seed in (("one", 1), ("again", 1), ("other", 2)):
        imported(folder, slug, seed=seed)
    reversed_folder = write(tmp_path, prompts_with_videos(60, 2)[::-1])
    imported(reversed_folder, "reversed", seed=1)
    assert sampled("one") == sampled("again") == sampled("reversed") != sampled("other")
    assert len(sampled("one")) == 6


@pytest.mark.long
def test_importing_again_draws_only_among_new_pairs(tmp_path):
    imported(write(tmp_path, prompts_with_videos(30, 2)))
    first = sampled()
    assert imported(write(tmp_path, prompts_with_videos(30, 2))).sampled == 0
    assert sampled() == first

    imported(write(tmp_path, prompts_with_videos(50, 2)))
    there = set(Pair.objects.order_by("pk").values_list("public_id", flat=True)[:30])
    assert sampled() & there == first
    assert len(sampled() - first) == 2


@pytest.mark.long
def test_the_study_says_share_and_answers(tmp_path):
    factories.study(slug="colours", sample_share=0.5, sample_overlap=5)
    factories.study(slug="none", sample_share=0.0)
    factories.study(slug="every", sample_share=1.0, sample_overlap=2, overlap=4)
    folder = write(tmp_path, prompts_with_videos(20, 2))
    for slug in ("colours", "none", "every"):
        imported(folder, slug)
    wanted = Pair.objects.order_by("wanted").values_list("wanted", flat=True)
    assert list(wanted.filter(study__slug="colours")) == [1] * 10 + [5] * 10
    assert list(wanted.filter(study__slug="none")) == [1] * 20
    assert list(wanted.filter(study__slug="every", in_sample=True)) == [4] * 20  # never fewer than the others


def test_pairs_with_a_number_of_their_own_are_drawn_too_and_keep_what_is_more(tmp_path):
    factories.study(slug="colours", sample_share=1.0)
    lines = [*prompts_with_videos(1, 3), pair("p0-a", "p0-b", wanted=7), pair("p0-a", "p0-c", wanted=2)]
    imported(write(tmp_path, lines))
    assert list(Pair.objects.order_by("pk").values_list("wanted", "in_sample")) == [(7, True), (3, True)]


def test_a_dry_run_says_how_many_would_be_drawn(tmp_path):
    assert imported(write(tmp_path, prompts_with_videos(20, 2)), dry_run=True).sampled == 2
    assert not Study.objects.exists()


def test_many_small_imports_get_their_share_too():
    """0.3 pairs of each: none would ever be drawn if it were rounded down, and too many if up."""
    assert 0.27 <= sum(how_many(0.3, f"import {number}") for number in range(5000)) / 5000 <= 0.33
    assert {how_many(4.0, f"import {number}") for number in range(100)} == {4}
