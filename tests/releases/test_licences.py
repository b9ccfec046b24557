"""Which licence a release may have: the whole table, and the check that form, API and command share."""

from itertools import product

import pytest
from django.core.management import call_command
from django.urls import reverse

from catalog.models import Prompt, Provenance
from diptych.refusals import BadInput
from releases import licences, making
from releases.licences import KNOWN, Material, Wider, judge, known, wider
from releases.models import Release
from tests import factories
from tests.releases.releasing import accepted, answered, ask, make

PUBLIC = ("CC0-1.0", "PDDL-1.0", "Unlicense", "0BSD", "MIT-0")
FLAGS = {
    # name: sharing, commercial use, changes, credit, the same licence
    **dict.fromkeys(PUBLIC, (True, True, True, False, False)),
    **{f"CC-BY-{v}": (True, True, True, True, False) for v in ("1.0", "2.0", "2.5", "3.0", "4.0")},
    **{f"CC-BY-SA-{v}": (True, True, True, True, True) for v in ("1.0", "2.0", "2.5", "3.0", "4.0")},
    **{f"CC-BY-NC-{v}": (True, False, True, True, False) for v in ("1.0", "2.0", "2.5", "3.0", "4.0")},
    **{f"CC-BY-ND-{v}": (True, True, False, True, False) for v in ("1.0", "2.0", "2.5", "3.0", "4.0")},
    **{f"CC-BY-NC-SA-{v}": (True, False, True, True, True) for v in ("1.0", "2.0", "2.5", "3.0", "4.0")},
    **{f"CC-BY-NC-ND-{v}": (True, False, False, True, False) for v in ("1.0", "2.0", "2.5", "3.0", "4.0")},
    **dict.fromkeys(("ODC-By-1.0", "CDLA-Permissive-1.0", "CDLA-Permissive-2.0"), (True, True, True, True, False)),
    **dict.fromkeys(("MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause"), (True, True, True, True, False)),
    **dict.fromkeys(("ODbL-1.0", "CDLA-Sharing-1.0"), (True, True, True, True, True)),
    "LicenseRef-Internal": (False, False, False, True, False),
}


def test_the_whole_table():
    found = {one.spdx: (one.sharing, one.commercial, one.changes, one.credit, bool(one.same)) for one in KNOWN.values()}
    assert found == FLAGS


def test_each_two_licences():
    for chosen, material in product((name for name in FLAGS if FLAGS[name][0]), FLAGS):
        assert set(wider(known(chosen), known(material))) == expected_between(chosen, material), (chosen, material)


def expected_between(chosen, material):
    """Return what a licence is wider in: it allows what the other one forbids, or drops what the other asks for."""
    of_chosen, of_material = FLAGS[chosen], FLAGS[material]
    expected = {
        what
        for what, mine, other in zip(list(Wider)[:3], of_chosen[:3], of_material[:3], strict=True)
        if mine and not other
    }
    if of_material[3] and not of_chosen[3]:
        expected.add(Wider.CREDIT)
    kind, _dash, version = material.rpartition("-")
    chosen_kind, _dash, chosen_version = chosen.rpartition("-")
    later = chosen_kind == kind and chosen_version >= version and (version != "1.0" or chosen_version == "1.0")
    if of_material[4] and not later:
        expected.add(Wider.SAME)
    return expected


@pytest.mark.parametrize("name", ["cc by 4.0", "CC-BY-4.0", " Cc_By-4.0 "])
def test_names_are_found_however_they_are_written(name):
    assert known(name).spdx == "CC-BY-4.0"


@pytest.mark.parametrize("name", ["", "CC-BY", "proprietary", "MIT OR Apache-2.0", "CC-BY-4.0 AND MIT"])
def test_other_names_are_not_guessed(name):
    assert known(name) is None


def test_an_internal_release_may_have_any_material():
    found = judge("LicenseRef-Internal", [Material("source", "", 1), Material("generator", "CC-BY-NC-ND-4.0", 1)])
    assert (found.too_wide, found.unknown, found.needs_reason) == ([], [], False)


def test_a_reason_does_not_make_a_wide_licence_narrow():
    with pytest.raises(BadInput, match=r"videos \(model-x\), CC-BY-NC-4\.0: it allows commercial use"):
        licences.require("CC-BY-4.0", "We asked.", [Material("generator", "CC-BY-NC-4.0", 3, ("model-x",))])


@pytest.mark.parametrize(
    ("chosen", "material", "sentence"),
    [
        ("Ours-1.0", "CC0-1.0", "Ours-1.0 is not in the table of licences."),
        ("CC-BY-4.0", "", "prompts, no licence recorded"),
        ("CC-BY-4.0", "Ours-1.0", "prompts, Ours-1.0"),
    ],
)
def test_an_unknown_licence_needs_a_reason(chosen, material, sentence):
    with pytest.raises(BadInput) as refused:
        licences.require(chosen, "", [Material("source", material, 1)])
    assert sentence in str(refused.value)
    assert refused.value.field == "licence_reason"
    licences.require(chosen, "The authors agreed.", [Material("source", material, 1)])


@pytest.mark.django_db
class TestReleases:
    @pytest.fixture
    def answers(self, study):
        made = answered(study)
        accepted(*made)
        return made

    @pytest.fixture
    def of_source(self, study, answers):
        """Return a function that records the licence of the only source."""
        Prompt.objects.filter(study=study).update(licence="", source="real_user")

        def record(licence):
            Provenance.objects.create(study=study, kind="source", name="real_user", licence=licence)

        return record

    @pytest.mark.long
    def test_the_licence_of_a_source_counts_where_prompts_have_none(self, study, of_source):
        of_source("CC-BY-NC-4.0")
        with pytest.raises(BadInput, match=r"prompts \(real_user\), CC-BY-NC-4\.0"):
            ask(study, licence="CC-BY-4.0")
        release = make(study, licence="CC-BY-NC-4.0", licence_reason="")
        found = {one["kind"]: one for one in release.about["card"]["licences"]}
        assert found["source"]["allows"] == {"sharing": True, "commercial": False, "changes": True, "credit": True}
        assert found["generator"]["licence"] == factories.LICENCE

    def test_material_that_is_not_released_does_not_count(self, study, answers):
        factories.pair(study, prompt=factories.prompt(study, licence="CC-BY-NC-ND-4.0"))
        assert ask(study, licence="CC-BY-4.0", licence_reason="").number == 1

    def test_form_api_and_command_refuse_the_same(self, study, of_source, browser_client, api, researcher):
        of_source("CC-BY-NC-4.0")
        chosen = {"decisions": "accepted", "reviewed": "any", "formats": "jsonl", "licence": "MIT"}
        page = browser_client(researcher).post(reverse("releases:new", args=[study.slug]), chosen)
        assert "The licence MIT is wider than that of prompts" in page.content.decode()
        response = api(researcher).post(f"/api/v1/studies/{study.slug}/releases/", {"licence": "MIT"}, format="json")
        assert response.status_code == 400
        assert "licence" in response.json()["fields"]
        with pytest.raises(Exception, match="The licence MIT is wider"):
            call_command("make_release", study=study.slug, licence="MIT")
        assert not Release.objects.exists()

    @pytest.mark.long
    def test_a_reason_is_stored_and_shown(self, study, of_source, browser_client, researcher):
        page = browser_client(researcher)
        chosen = {"decisions": "accepted", "reviewed": "any", "formats": "jsonl", "licence": "CC-BY-4.0"}
        path = reverse("releases:new", args=[study.slug])
        assert "Say why the release may have its own." in page.post(path, chosen).content.decode()
        assert page.post(path, chosen | {"licence_reason": "The users agreed."}).status_code == 302
        release = Release.objects.get()
        making.run(release.pk)
        release.refresh_from_db()
        shown = page.get(reverse("releases:release", args=[study.slug, release.number])).content.decode()
        assert "The users agreed." in shown
        assert release.manifest["licence_reason"] == "The users agreed."

    def test_a_licence_that_changes_before_the_answers_are_copied_ends_the_release(self, study, answers):
        release = ask(study, licence="CC-BY-4.0")
        Prompt.objects.filter(study=study).update(licence="CC-BY-NC-4.0")
        making.run(release.pk)
        release.refresh_from_db()
        assert (release.state, release.frozen_at) == ("failed", None)
        assert "The licences of prompts or videos changed" in release.reason

    def test_the_preview_shows_the_licences(self, study, of_source, browser_client, researcher):
        of_source("Ours-1.0")
        chosen = {"decisions": "accepted", "reviewed": "any", "formats": "jsonl"}
        page = browser_client(researcher).get(reverse("releases:new", args=[study.slug]), chosen).content.decode()
        assert "Ours-1.0" in page
        assert "Licences of prompts and videos" in page
