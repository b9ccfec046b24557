"""Cluster and split of prompts: decided once, near-duplicates together, evaluation never in training."""

import pytest

from catalog.models import Prompt
from importing import clusters
from sources.identity import prompt_public_id
from studies.models import Study
from tests import factories
from tests.importing.manifests import imported, prompt, video, write

pytestmark = pytest.mark.django_db

LONG = "A small brown dog runs along the beach at sunset while gentle waves roll in and two children watch from afar"
NEARLY = (
    "a small, brown dog runs along the beach at sunset while gentle waves roll in and two children look on from afar!"
)
OTHER = "Three astronauts repair a broken antenna outside their station as the blue planet slowly turns far below them"


def texts(number, first=0):
    """Return prompts that have nothing in common."""
    return [prompt(f"p{n}", text=" ".join(f"word{n}x{m}" for m in range(9))) for n in range(first, first + number)]


def kept(**of):
    return {
        text: (cluster, split)
        for text, cluster, split in Prompt.objects.filter(**of).values_list("text", "cluster", "split")
    }


def bring(tmp_path, *lines, slug="colours", **options):
    return imported(write(tmp_path, list(lines)), slug, **options)


def in_part(part, text=LONG):
    """Return a study whose only prompt, with this text, is in that split."""
    study = factories.study(slug="colours", sample_share=0.0)
    public_id = prompt_public_id(text)
    Prompt.objects.create(study=study, text=text, public_id=public_id, cluster=public_id, split=part)
    return study


def test_every_new_prompt_gets_cluster_and_split_and_about_a_tenth_is_for_testing(tmp_path):
    report = bring(tmp_path, *texts(400), seed=4)

    about = Prompt.objects.all()
    assert all(one.cluster == one.public_id for one in about)
    assert {one.split for one in about} == {"train", "test"}
    assert 20 <= about.filter(split="test").count() <= 65
    assert report.splits == {split: about.filter(split=split).count() for split in ("test", "train")}


def test_the_seed_and_the_share_of_the_study_decide(tmp_path):
    bring(tmp_path, *texts(60), slug="one", seed=1)
    bring(tmp_path, *texts(60), slug="again", seed=1)
    bring(tmp_path, *texts(60), slug="other", seed=2)
    factories.study(slug="half", seed=1, test_share=0.5)
    bring(tmp_path, *texts(60), slug="half")
    factories.study(slug="none", seed=1, test_share=0.0)
    bring(tmp_path, *texts(60), slug="none")

    drawn = {study.slug: kept(study=study) for study in Study.objects.all()}
    assert drawn["one"] == drawn["again"] != drawn["other"]
    tested = {slug: {text for text, (_, split) in of.items() if split == "test"} for slug, of in drawn.items()}
    assert tested["one"] < tested["half"]
    assert 18 <= len(tested["half"]) <= 42
    assert tested["none"] == set()


def test_near_duplicates_are_one_cluster_whatever_their_order(tmp_path):
    bring(tmp_path, prompt("p", text=LONG), prompt("q", text=OTHER), prompt("r", text=NEARLY), slug="one")
    bring(tmp_path, prompt("r", text=NEARLY), prompt("q", text=OTHER), prompt("p", text=LONG), slug="other")

    for slug, first in (("one", LONG), ("other", NEARLY)):
        there = kept(study__slug=slug)
        assert there[LONG] == there[NEARLY] == (prompt_public_id(first), there[first][1])
        assert there[OTHER][0] == prompt_public_id(OTHER)


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_new_prompt_joins_the_cluster_of_one_that_is_there_and_its_part(tmp_path, part):
    in_part(part)
    bring(tmp_path, prompt("p", text=NEARLY))
    assert kept()[NEARLY] == (prompt_public_id(LONG), part)


def test_a_prompt_near_both_parts_is_excluded_and_joins_the_nearest(tmp_path):
    study = in_part("train", " ".join(f"word{n}" for n in range(20)) + " and this")
    there = " ".join(f"word{n}" for n in range(20)) + " but that at last"
    Prompt.objects.create(
        study=study, text=there, public_id=prompt_public_id(there), cluster=prompt_public_id(there), split="test"
    )

    new = " ".join(f"word{n}" for n in range(20)) + " but that at"
    bring(tmp_path, prompt("p", text=new))

    assert kept()[new] == (prompt_public_id(there), "excluded")


def test_what_is_near_an_excluded_prompt_is_of_its_clusters_part(tmp_path):
    study = in_part("test")
    Prompt.objects.create(
        study=study, text=OTHER, public_id=prompt_public_id(OTHER), cluster=prompt_public_id(LONG), split="excluded"
    )
    bring(tmp_path, prompt("p", text=f"{OTHER} again"))
    assert kept()[f"{OTHER} again"] == (prompt_public_id(LONG), "test")


def test_texts_that_generators_were_given_count_too(tmp_path):
    in_part("test")
    bring(
        tmp_path,
        prompt("p", text="A dog"),
        video("p-a", video_text=NEARLY, refined_by="llm 1"),
        prompt("q", text="Dog"),
    )
    there = kept()
    assert there["A dog"] == (prompt_public_id(LONG), "test")
    assert there["Dog"][0] == prompt_public_id("Dog")

    bring(
        tmp_path, prompt("r", text=f"{LONG} twice"), prompt("s", text="The dog"), video("s-a", video_text=f"{LONG} so")
    )
    assert kept()["The dog"] == (prompt_public_id(LONG), "test")


def test_what_a_generator_was_given_for_a_prompt_that_is_there_draws_new_ones_to_it(tmp_path):
    in_part("test", "A dog")
    bring(tmp_path, prompt("p", text="A dog"), video("p-a", video_text=LONG))
    bring(tmp_path, prompt("q", text=NEARLY))
    assert kept()[NEARLY] == (prompt_public_id("A dog"), "test")


def test_evaluation_prompts_never_train_and_nothing_near_them_does(tmp_path):
    factories.study(slug="colours", test_share=0.0)
    lines = [
        prompt("p", text=NEARLY),
        prompt("q", text=LONG, set="eval"),
        *texts(5),
        prompt("e", text=OTHER, set="eval"),
    ]
    bring(tmp_path, *lines)

    there = kept()
    assert there[LONG] == there[NEARLY] == (prompt_public_id(LONG), "test")
    assert there[OTHER][1] == "test"
    assert {there[line["text"]][1] for line in lines if line["text"].startswith("word")} == {"train"}


def test_an_evaluation_prompt_near_training_is_excluded(tmp_path):
    in_part("train")
    bring(tmp_path, prompt("p", text=NEARLY, set="eval"))
    assert kept()[NEARLY] == (prompt_public_id(LONG), "excluded")


def test_cluster_and_split_never_change(tmp_path):
    bring(tmp_path, *texts(30), prompt("a", text=LONG), seed=1)
    before = kept()
    Study.objects.update(test_share=0.5, seed=99)

    bring(tmp_path, *texts(40), prompt("a", text=LONG), prompt("b", text=NEARLY, set="eval"))

    after = kept()
    assert {text: after[text] for text in before} == before
    assert len(after) == 42
    assert bring(tmp_path, *texts(40)).splits == {}


def test_prompts_from_before_there_were_clusters_get_theirs_with_the_next_new_one(tmp_path):
    old = factories.prompt(factories.study(slug="colours", seed=1), text=LONG, public_id=prompt_public_id(LONG))
    bring(tmp_path, prompt("p", text=NEARLY))
    old.refresh_from_db()
    assert old.split in ("train", "test")
    assert kept()[NEARLY] == kept()[LONG] == (old.public_id, old.split)


def test_languages_without_spaces(tmp_path):
    one, other = (
        "一只棕色的小狗在日落时分沿着海滩奔跑，轻柔的海浪拍打着岸边",
        "一只棕色的小狗在日落时分沿着沙滩奔跑,轻柔的海浪拍打着岸边。",
    )
    bring(tmp_path, prompt("p", text=one), prompt("q", text=other), prompt("r", text="🐻"), prompt("s", text="!?"))
    there = kept()
    assert there[one] == there[other]
    assert len({cluster for cluster, _ in there.values()}) == 3


@pytest.mark.long
def test_other_studies_decide_nothing(tmp_path):
    in_part("test")
    bring(tmp_path, prompt("p", text=NEARLY), slug="other", seed=1)
    assert kept(study__slug="other")[NEARLY][0] == prompt_public_id(NEARLY)


@pytest.mark.long
def test_thousands_of_prompts_from_one_template_are_one_cluster_soon(tmp_path):
    """Each prompt shares all bands with all others, so comparing all would take a million comparisons."""
    lines = [prompt(f"p{n}", text=f"{LONG}, take {n}") for n in range(1500)]
    bring(tmp_path, *lines)
    assert len({cluster for cluster, _ in kept().values()}) == 1


def test_similarity_is_the_share_of_pairs_of_words_in_both():
    assert clusters.similarity("a b c d", "A b C e") == 2 / 4
    assert clusters.similarity("ﬁne Dog", "FINE, dog!") == 1
