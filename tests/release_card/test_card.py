"""The data card of a release: its numbers, its files, and what it never shows."""

import json
import re
from pathlib import Path

import pytest
import yaml
from django.utils import translation
from jsonschema import Draft7Validator

from accounts.models import Profile
from release_card import documents, leaks, sections
from release_card.leaks import HeldOut, Texts
from releases import demographics, making
from releases.models import Release
from studies.models import Document
from tests import factories
from tests.release_card.carded import answered_study, card_of
from tests.releases.releasing import LICENCE, stored

pytestmark = pytest.mark.django_db

#: The schema of CITATION.cff, version 1.2.0.
CITATION_FORMAT = Draft7Validator(
    json.loads(Path(__file__).with_name("citation-file-format-1.2.0.schema.json").read_text())
)


@pytest.fixture
def card(study):
    answered_study(study)
    return card_of(study, terms="Cite us.\n# Not a heading")


@pytest.mark.long
class TestNumbers:
    def test_all_numbers_are_those_of_the_released_material(self, card):
        made_of = card[1]["composition"]
        assert (made_of["prompts"], made_of["pairs"], made_of["tv_pairs"], made_of["answers"]) == (6, 6, 12, 18)
        assert [row[-1] for row in made_of["prompts_by_type_and_source"]] == [2, 1, 2, 1]
        assert made_of["words"]["least"] == 3
        assert made_of["words"]["most"] == 8
        assert made_of["videos_a_prompt"] == {"2": 6, "mean": 2.0}
        assert made_of["answers_a_pair"] == {"3": 6}
        assert made_of["refined"] == 6
        assert made_of["refiners"] == [["refiner 2", 6]]
        assert (made_of["judged"], made_of["safe"]) == (12, 9)
        assert sum(row[-1] for row in made_of["generators"]) == 12

        self.work_funnel_people_and_settings_are_stated(*card)
        self.agreement_is_measured_on_the_random_sample(card[1]["agreement"])
        self.figures_are_in_it(card[1]["figures"])

    def work_funnel_people_and_settings_are_stated(self, release, numbers):
        assert numbers["work"] == {"hours": 0.3, "revisions": 18, "reviewed_answers": 0}
        assert numbers["funnel"] == release.funnel
        assert numbers["people"]["annotators"] is None
        assert numbers["collected"]["settings"]["pay_basis"] == "By the hour, breaks included"
        assert [lot["state"] for lot in numbers["collected"]["lots"]] == ["accepted"]

    def agreement_is_measured_on_the_random_sample(self, found):
        assert (found["pairs"], found["answers"]) == (6, 18)
        assert found["questions"]["correctness"]["percent"]["value"] == 1
        assert found["questions"]["helpfulness"]["percent"]["value"] == pytest.approx(1 / 3)

    def figures_are_in_it(self, found):
        assert found["generators"] == {"compared": ["gen-a", "gen-b", "gen-c"], "number": 3}
        assert found["tag_shares"]["prompts"]["given"]["violence"] == 3
        assert found["tension"]["n"] == 3

    def test_later_changes_do_not_reach_the_card(self, study, card, tmp_path):
        release, _numbers = card
        study.pay_basis, study.title = "Nothing", "Renamed"
        study.save()
        Profile.objects.update(country="FR")
        assert making.rebuild(Release.objects.get(pk=release.pk), tmp_path) == []
        for path in ("card.md", "card.html", "card.json", "CITATION.cff"):
            assert (tmp_path / path).read_bytes() == stored(release, path)


class TestFiles:
    @pytest.mark.long
    def test_markdown_and_html_say_the_same(self, card):
        release, _numbers = card
        said = stored(release, "card.md").decode()
        page = stored(release, "card.html").decode()
        words = re.sub(r"<[^>]+>", " ", page.partition("<body>")[2])
        plain = re.sub(r"[\\|*#]|(?<= )-+:?(?= )", " ", said)
        for heading in ("What it is", "Who annotated", "Leaks between parts", "Known limits", "Licence and citation"):
            assert f"## {heading}" in said
            assert f"<h2>{heading}</h2>" in page
        assert re.findall(r"\d+", words.replace("&amp;", "&")) == re.findall(r"\d+", plain)

    @pytest.mark.long
    def test_what_users_wrote_is_text_and_nothing_else(self, study):
        answered_study(study)
        study.title, study.vendor = "<script>alert(1)</script> [x](javascript:1)", "**Bold** | & Co\n## Ours"
        study.save()
        release, _numbers = card_of(study)
        page, said = (stored(release, path).decode() for path in ("card.html", "card.md"))
        assert "<script" not in page
        assert "<a " not in page
        assert "**Bold** | &amp; Co ## Ours" in page
        assert "\n## Ours" not in said

    @pytest.mark.long
    def test_the_citation_is_valid_by_the_schema_of_its_format(self, card):
        release, _numbers = card
        found = yaml.safe_load(stored(release, "CITATION.cff"))
        assert [error.message for error in CITATION_FORMAT.iter_errors(found)] == []
        assert list(CITATION_FORMAT.iter_errors(found | {"authors": []}))
        assert (found["cff-version"], found["type"], found["version"]) == ("1.2.0", "dataset", str(release.number))
        assert (found["license"], found["title"]) == (LICENCE, release.about["title"])
        assert found["date-released"] == release.frozen_at.date().isoformat()

    @pytest.mark.long
    def test_a_licence_that_is_not_in_spdx_is_not_named_as_one(self, study):
        answered_study(study, prompts=1)
        release, _numbers = card_of(study, licence="Ours: 1.0")
        found = yaml.safe_load(stored(release, "CITATION.cff"))
        assert "license" not in found
        assert [error.message for error in CITATION_FORMAT.iter_errors(found)] == []
        assert "Ours: 1.0" in found["abstract"]

    def test_the_guideline_is_part_of_the_release(self, study):
        answered_study(study, prompts=1)
        documents = Document.objects.filter(study=study, kind="guideline", version=study.guideline_version)
        release, numbers = card_of(study)
        assert len(numbers["guidelines"]) == len(documents)
        for document, listed in zip(documents.order_by("language"), numbers["guidelines"], strict=True):
            assert stored(release, listed["path"]).decode() == document.text

    @pytest.mark.long
    def test_every_release_has_a_card(self, study):
        answered_study(study, prompts=1)
        release, _numbers = card_of(study, formats=["jsonl"])
        assert release.formats == ["jsonl", "card"]
        assert release.manifest["formats"] == ["jsonl", "card"]

    @pytest.mark.long
    def test_the_page_has_the_card_in_chinese(self, card):
        with translation.override("zh-hans"):
            titles = [section.title for section in sections.of_card(card[1])]
        assert len({*titles}) == len(titles)
        assert all(re.search(r"[\u4e00-\u9fff]", title) for title in titles)
        with translation.override("en"):
            assert documents.markdown(card[1]) != ""


class TestPeople:
    def test_groups_under_five_join_the_others(self):
        assert demographics.grouped(["x"] * 7 + ["y"] * 5 + ["z"] * 3 + [""] * 2, 17) == {"x": 7, "y": 5, "": 5}

    def test_others_under_five_take_the_smallest_group_with_them(self):
        assert demographics.grouped(["x"] * 7 + ["y"] * 5 + ["z"] * 3, 15) == {"x": 7, "": 8}

    def test_people_without_a_profile_are_among_the_others(self):
        assert demographics.grouped(["x"] * 6, 20) == {"x": 6, "": 14}

    @pytest.mark.parametrize("said", [[], [""] * 9, ["x"] * 4 + ["y"] * 4])
    def test_without_a_group_of_five_nothing_is_shown(self, said):
        assert demographics.grouped(said, len(said)) == {}

    def test_everybody_alike_is_one_group(self):
        assert demographics.grouped(["x"] * 6, 6) == {"x": 6}

    @pytest.mark.long
    def test_only_those_with_released_answers_count(self, study):
        people = answered_study(study, prompts=2, people=8)
        for person in people:
            Profile.objects.create(user=person, country="CH", year_of_birth=1994)
        _release, numbers = card_of(study)
        assert numbers["people"]["annotators"] is None
        assert numbers["collected"]["demographics"] == {}

    @pytest.mark.long
    def test_five_people_are_shown(self, study):
        people = answered_study(study, prompts=1, people=3)
        for _number in range(5):
            factories.pair(study)
            person = factories.member(study, "annotator")
            factories.answer(person, study)
            people.append(person)
        for person in people:
            Profile.objects.create(user=person, country="CH" if person.pk % 8 else "FR", year_of_birth=1994)
        _release, numbers = card_of(study)
        assert numbers["people"]["annotators"] == 8
        assert numbers["collected"]["demographics"]["born"] == {"1990–1999": 8}
        assert "FR" not in json.dumps(numbers["collected"]["demographics"])


class TestLeaks:
    LONG = "a small red ball rolls slowly over the green grass of the park near our house"

    def test_a_near_duplicate_in_both_parts_is_found(self):
        held_out = HeldOut(iter([Texts("t", (self.LONG,)), Texts("u", ("Something else altogether happens here",))]))
        near = [Texts("a", (f"{self.LONG} today",)), Texts("b", ("Nothing like it",)), Texts("c", ("x", self.LONG))]
        assert held_out.near(near) == [("a", "t"), ("c", "t")]
        assert held_out.prompts == 2

    def test_no_held_out_prompt_is_near_nothing(self):
        assert HeldOut(iter([])).near([Texts("a", (self.LONG,))]) == []

    def test_a_release_names_what_is_in_both_parts(self, study):
        asset = factories.asset()
        for number, split in enumerate(("train", "test")):
            prompt = factories.prompt(study, text=f"{self.LONG} {number}", split=split, cluster="c" * 64)
            factories.pair(study, prompt=prompt, video_0=factories.video(prompt, asset=asset))
            factories.answer(factories.member(study, "annotator"), study)
        release, numbers = card_of(study)
        found = numbers["leaks"]
        assert (found["clusters"], found["videos"], found["near"]) == (1, 1, 1)
        assert (found["train_prompts"], found["held_out_prompts"]) == (1, 1)
        assert len(found["examples"]) == 1
        assert "Leave what leaks out of training" in stored(release, "card.md").decode()

    def test_prompts_without_a_part_leak_nothing(self, study):
        answered_study(study, prompts=1)
        assert leaks.TRAIN == ("train",)
        _release, numbers = card_of(study)
        assert (numbers["leaks"]["clusters"], numbers["leaks"]["near"]) == (0, 0)
