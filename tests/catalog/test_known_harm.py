"""Known harm of a video protects all people who are served it later, in whatever pair."""

import threading

import pytest
from django.db import connection, transaction

from annotation import harm_propagation, serving
from annotation.models import Seat, Standing
from catalog import known_harm
from catalog.models import Pair, Prompt, Video
from importing import writing_pairs
from tests import factories
from tests.importing.manifests import imported, pair, prompt, prompts_with_videos, video, write, write_file
from tests.importing.test_import_concurrency import together, wait_until_somebody_waits

pytestmark = pytest.mark.django_db

SAME = b"the same bytes in several files"


def known(of):
    return type(of).objects.get(pk=of.pk).may_show


def tagged(study, person, *tags):
    """Let the person tag the second video of their pair, and let the sweep record it."""
    body = factories.body()["harmlessness"] | {"video_1": {"tags": list(tags)}}
    answered = factories.answer(person, study, harmlessness=body)
    harm_propagation.note_tags()
    return answered.pair.video_1


class TestTags:
    def test_a_pair_made_later_from_a_tagged_video_names_the_harm(self, study, annotator):
        factories.pair(study)
        shown = tagged(study, annotator, "violence", "crime")
        later = factories.pair(study, prompt=shown.prompt, video_0=shown)
        assert (known(later), Pair.objects.get(pk=later.pk).lane) == (["crime", "violence"], Pair.Lane.SENSITIVE)

    def test_whoever_left_the_harm_out_is_never_given_a_pair_made_later(self, study, annotator):
        factories.pair(study)
        shown = tagged(study, annotator, "violence")
        factories.pair(study, prompt=shown.prompt, video_0=shown)
        other = factories.member(study, "annotator")
        Seat.objects.filter(person=other).update(excluded=["violence"])
        assert serving.lease(other, study).reason == "excluded"

    @pytest.mark.long
    def test_pairs_that_many_writers_add_at_once_name_it_too(self, study, annotator):
        factories.pair(study)
        shown = tagged(study, annotator, "violence")
        others = [factories.video(shown.prompt) for _ in range(3)]
        batch = factories.batch(study)
        added = Pair.objects.bulk_create(
            Pair(
                study=study,
                batch=batch,
                prompt=shown.prompt,
                video_0=other,
                video_1=shown,
                public_id=factories.hex64(f"bulk {other.pk}"),
            )
            for other in others
        )
        assert [known(one) for one in added] == [["violence"]] * 3

    def test_videos_of_the_same_bytes_share_it_within_a_study_only(self, study, annotator):
        first = factories.pair(study)
        bytes_of_it = first.video_1.asset
        before = factories.pair(study, video_0=None)
        twin = factories.video(before.prompt, asset=bytes_of_it)
        of_twin = factories.pair(study, prompt=before.prompt, video_0=twin, held="so that it is not given now")
        elsewhere = factories.video(factories.prompt(factories.study()), asset=bytes_of_it)
        assert tagged(study, annotator, "hate") == first.video_1
        after = factories.video(before.prompt, asset=bytes_of_it)
        of_after = factories.pair(study, prompt=before.prompt, video_0=after)
        assert [known(row) for row in (twin, of_twin, after, of_after)] == [["hate"]] * 4
        assert (known(elsewhere), known(before)) == ([], [])

    def test_it_only_grows(self, study):
        one = factories.pair(study, may_show=["porn"])
        known_harm.note({(one.video_0_id, "crime")})
        known_harm.note({(one.video_0_id, "crime"), (one.video_1_id, "hate")})
        assert known(one) == ["crime", "hate", "porn"]
        assert known(one.video_0) == ["crime"]
        Video.objects.filter(pk=one.video_0_id).update(may_show=[])
        assert known(one) == ["crime", "hate", "porn"]


class TestPrompts:
    @pytest.mark.parametrize(
        ("values", "harms"),
        [
            ({"labels": ["hate", "crime"], "labelled_by": "a model"}, ["crime", "hate"]),
            ({"prompt_type": "safety_critical"}, ["other_harmful"]),
            ({"prompt_type": "safety_critical", "labels": [], "labelled_by": "a model"}, []),
            ({}, []),
        ],
    )
    def test_whoever_writes_a_pair_it_names_what_the_prompt_does(self, study, values, harms):
        assert known(factories.pair(study, prompt=factories.prompt(study, **values))) == harms

    def test_labels_that_come_later_reach_the_pairs(self, study):
        one = factories.pair(study)
        Prompt.objects.filter(pk=one.prompt_id).update(labels=["terrorism"], labelled_by="a model")
        assert known(one) == ["terrorism"]

    def test_a_control_names_what_the_prompts_of_both_its_videos_do(self, study):
        labelled = factories.prompt(study, labels=["crime"], labelled_by="a model")
        control = factories.pair(study, kind="control", expected={}, video_0=factories.video(labelled))
        assert known(control) == ["crime"]
        Prompt.objects.filter(pk=labelled.pk).update(labels=["crime", "hate"])
        assert known(control) == ["crime", "hate"]


class TestImports:
    def test_a_later_import_pairs_a_tagged_video(self, tmp_path):
        imported(write(tmp_path / "first", prompts_with_videos(1, 2)))
        known_harm.note({(Video.objects.order_by("pk")[0].pk, "violence")})
        imported(write(tmp_path / "second", prompts_with_videos(1, 3)))
        shown = {tuple(one.may_show) for one in Pair.objects.filter(video_0__may_show=[], video_1__may_show=[])}
        assert shown == {()}
        named = Pair.objects.filter(may_show=["violence"])
        assert named.count() == 2
        assert all("violence" in one.video_0.may_show + one.video_1.may_show for one in named)

    def test_a_later_import_brings_the_tagged_bytes_for_another_prompt(self, tmp_path):
        for folder, key in (("first", "p"), ("second", "q")):
            lines = [prompt(key), video(f"{key}-a"), video(f"{key}-b"), pair(f"{key}-a", f"{key}-b")]
            write_file(tmp_path / folder, f"clips/{key}-a.mp4", SAME)
            imported(write(tmp_path / folder, lines))
            if key == "p":
                known_harm.note({(Video.objects.order_by("pk")[0].pk, "violence")})
        assert list(Pair.objects.values_list("may_show", flat=True)) == [["violence"], ["violence"]]

    def test_videos_without_a_pair_inherit_it(self, tmp_path):
        for folder, key in (("first", "p"), ("second", "q")):
            write_file(tmp_path / folder, f"clips/{key}-a.mp4", SAME)
            imported(write(tmp_path / folder, [prompt(key), video(f"{key}-a")]))
            known_harm.note({(Video.objects.order_by("pk")[0].pk, "violence")})
        assert list(Video.objects.values_list("may_show", flat=True)) == [["violence"], ["violence"]]


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    @pytest.mark.parametrize("pairs", ["with pairs", "without pairs"])
    @pytest.mark.parametrize("first", ["the tag", "the import"])
    def test_a_tag_that_is_noted_while_its_video_is_imported_is_not_lost(self, tmp_path, monkeypatch, first, pairs):
        """Neither sees the other's uncommitted rows. The one that locks the asset second sees committed ones."""
        lines = prompts_with_videos(1, 2) if pairs == "with pairs" else [prompt("p0"), video("p0-a")]
        for folder in ("first", "second"):
            write_file(tmp_path / folder, "clips/p0-a.mp4", SAME)
            write_file(tmp_path / folder, "clips/p1-a.mp4", SAME)
        imported(write(tmp_path / "first", [prompt("p1"), video("p1-a")]))
        known_before = Video.objects.get()
        noted, locked = threading.Event(), threading.Event()
        inherit = known_harm.inherit

        def note():
            with transaction.atomic():
                if first == "the import":
                    assert locked.wait(timeout=30)
                known_harm.note({(known_before.pk, "violence")})
                noted.set()
                if first == "the tag":
                    wait_until_somebody_waits()

        def inherit_at_the_worst_moment(*args):
            if first == "the tag":
                assert noted.wait(timeout=30)
            inherit(*args)
            locked.set()
            if first == "the import":
                wait_until_somebody_waits()

        monkeypatch.setattr(writing_pairs.known_harm, "inherit", inherit_at_the_worst_moment)
        together(note, lambda: imported(write(tmp_path / "second", lines)))
        bytes_of_it = Video.objects.filter(asset=known_before.asset)
        assert list(bytes_of_it.values_list("may_show", flat=True)) == [["violence"], ["violence"]]
        assert all(one.may_show == ["violence"] for one in Pair.objects.all())
        assert Pair.objects.count() == (pairs == "with pairs")

    def test_noting_waits_for_no_answer_that_is_being_changed(self, study, annotator):
        factories.pair(study)
        factories.answer(annotator, study)
        with transaction.atomic():
            Standing.objects.select_for_update().get()

            def note():
                with connection.cursor() as cursor:
                    cursor.execute("SET lock_timeout = '5s'")
                return harm_propagation.note_tags()

            assert together(note) == [0]
        assert harm_propagation.note_tags() == 1

    def test_noting_and_a_review_at_once_do_not_wait_for_each_other(self, study, annotator):
        """A review locks the pair, then the standing. Recording harm must not lock the standing while it waits."""
        shown = factories.pair(study)
        factories.answer(annotator, study)
        done = []
        with transaction.atomic():
            Pair.objects.select_for_update(no_key=True).get(pk=shown.pk)
            noting_it = threading.Thread(target=lambda: (done.append(harm_propagation.note_tags()), connection.close()))
            noting_it.start()
            wait_until_somebody_waits()
            assert Standing.objects.select_for_update(nowait=True).get()
        noting_it.join(timeout=30)
        assert done == [1]
