"""Import a manifest: its lines become rows, and importing again adds only new ones."""

import hashlib
import json
import unicodedata
from itertools import combinations

import pytest
from django.core.files.storage import default_storage

from accounts.models import AuditEvent
from catalog.models import Batch, Pair, Prompt, Video
from importing.pairing import PairChoice
from importing.progress import Progress
from importing.study import import_study
from media.models import Asset
from media.originals import original_name
from sources import intake
from sources.identity import prompt_public_id
from studies.models import Study
from tests import factories
from tests.importing.manifests import imported, pair, prompt, prompts_with_videos, video, write, write_file
from tests.media.workers import told

pytestmark = pytest.mark.django_db


def state_of_everything():
    models = (Study, Prompt, Asset, Video, Batch, Pair)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def test_new_study_gets_prompts_videos_and_every_pair_of_a_prompt(tmp_path):
    report = imported(write(tmp_path, prompts_with_videos(2, 3)), title="Colours")

    study = Study.objects.get(slug="colours")
    assert (study.title, study.state, report.study_created) == ("Colours", "paused", True)
    assert (report.prompts.added, report.videos.added, report.assets.added, report.pairs.added) == (
        2,
        6,
        6,
        6,
    )
    for about in Prompt.objects.filter(study=study):
        mine = {frozenset((pair.video_0_id, pair.video_1_id)) for pair in about.pairs.all()}
        assert mine == {frozenset(two) for two in combinations(about.videos.values_list("pk", flat=True), 2)}
    new = Pair.objects.filter(in_sample=False).first()
    assert (new.wanted, new.open_slots, new.ready, new.held, new.kind) == (1, 1, False, "", "real")
    assert (new.selection_method, new.selection_probability) == ("all", None)


def test_every_stated_field_is_kept(tmp_path):
    said = {
        "language": "zh-Hans", "prompt_type": "safety_critical", "labels": ["violence", "crime"],
        "labelled_by": "gpt-4", "source": "real_user", "source_detail": "#general", "licence": "CC0-1.0", "set": "eval",
    }  # fmt: skip
    made = {
        "video_text": "A ball, in detail", "refined_by": "llm 2", "generator": "shapes", "generator_version": "1.2",
        "seed": 7, "settings": {"steps": 20, "nested": {"a": [1, 2.5, None]}}, "licence": "MIT",
    }  # fmt: skip
    lines = [video("p-b", derived_from="p-a"), video("p-a", **made), prompt("p", **said)]  # any order will do

    imported(write(tmp_path, lines))

    about = Prompt.objects.get()
    assert {name: getattr(about, name) for name in said} == said | {"labels": ["crime", "violence"]}
    origin, derived = Video.objects.get(generator="shapes"), Video.objects.get(generator="")
    assert {name: getattr(origin, name) for name in made} == made | {"seed": "7"}
    assert derived.derived_from == origin
    assert (derived.video_text, derived.settings, derived.prompt) == ("", {}, about)


def test_public_ids_follow_from_content(tmp_path):
    text = "Ein Bär 🐻 tanzt"
    imported(write(tmp_path, [prompt("p", text=text), video("p-a"), video("p-b")]))

    about = Prompt.objects.get()
    assert about.public_id == hashlib.sha256(json.dumps(text).encode()).hexdigest() == prompt_public_id(text)
    one, other = sorted(Video.objects.values_list("public_id", flat=True))
    assert Pair.objects.get().public_id == hashlib.sha256(f"{one} {other}".encode()).hexdigest()


def test_bytes_are_kept_once_under_their_hash(tmp_path):
    lines = [prompt("p"), video("p-a"), prompt("q"), video("q-a"), video("q-b")]
    for path in ("clips/p-a.mp4", "clips/q-a.mp4"):
        write_file(tmp_path, path, b"the same bytes")
    report = imported(write(tmp_path, lines))

    digest = hashlib.sha256(b"the same bytes").hexdigest()
    asset = Asset.objects.get(sha256=digest)
    assert (asset.original, asset.byte_size, asset.state) == (
        f"originals/{digest[:2]}/{digest}",
        14,
        "waiting",
    )
    with default_storage.open(asset.original) as kept:
        assert kept.read() == b"the same bytes"
    assert (asset.videos.count(), report.assets.added, report.videos.added) == (2, 2, 3)


@pytest.mark.long
def test_half_a_file_left_by_a_killed_import_is_not_used(tmp_path):
    content = b"content of which a killed import kept half"
    digest = hashlib.sha256(content).hexdigest()
    left = default_storage.path(original_name(digest))
    write_file(tmp_path, left, content[:9])
    write_file(tmp_path, "clips/p-a.mp4", content)

    imported(write(tmp_path, [prompt("p"), video("p-a")]))

    assert Asset.objects.get(sha256=digest).original == original_name(digest)
    with default_storage.open(original_name(digest)) as kept:
        assert kept.read() == content


def test_a_file_that_changes_while_it_is_imported_is_refused_and_not_kept(tmp_path):
    path = write_file(tmp_path, "clips/p-a.mp4", b"as it was fingerprinted")
    digest = sha256_of(path)

    class Meddling(Progress):
        def begin(self, stage, total):
            if stage == "Storing files":
                path.write_bytes(b"as somebody left it")

    report = import_study(write(tmp_path, [prompt("p"), video("p-a")]), "colours", progress=Meddling())

    assert [(bad.field, bad.reason) for bad in report.bad] == [
        ("path", "clips/p-a.mp4 could not be stored: it changed while it was being imported")
    ]
    assert not default_storage.exists(original_name(digest))
    assert not Asset.objects.exists()


@pytest.mark.parametrize(
    "last",
    ["Reading rows", "Finding files", "Reading files", "Storing files", "Adding prompts and videos", "Adding pairs"],
)
def test_what_progress_raises_ends_the_import_with_nothing_written(tmp_path, last):
    class Cancelling(Progress):
        def begin(self, stage, total):
            if stage == last:
                raise KeyboardInterrupt

    folder = write(tmp_path, prompts_with_videos(2, 2))
    with pytest.raises(KeyboardInterrupt):
        import_study(folder, "colours", progress=Cancelling())
    assert [model.objects.count() for model in (Study, Asset, Pair, AuditEvent)] == [0, 0, 0, 0]
    assert imported(folder).pairs.added == 2


def test_each_stage_begins_once_with_its_total(tmp_path, monkeypatch):
    monkeypatch.setattr(intake, "AT_ONCE", 2)  # several chunks
    begun, done = {}, {}

    class Noting(Progress):
        def begin(self, stage, total):
            assert stage not in begun
            begun[stage], done[stage] = total, 0

        def advance(self, steps=1):
            done[list(done)[-1]] += steps

    lines = [*prompts_with_videos(3, 3), pair("p0-a", "p0-b"), pair("p1-a", "p1-b"), pair("p1-a", "p1-c")]
    report = import_study(write(tmp_path, lines), "colours", progress=Noting())

    assert (report.prompts.added, report.videos.added, report.assets.added, report.pairs.added) == (3, 9, 9, 3)
    files = {"Finding files": 9, "Reading files": 9, "Storing files": 9}
    assert begun == {"Reading rows": 0} | files | {"Adding prompts and videos": 4, "Adding pairs": 3}
    assert done == begun


def test_importing_again_changes_nothing(tmp_path):
    folder = write(tmp_path, prompts_with_videos(3, 3))
    imported(folder)
    before = state_of_everything()

    report = imported(folder)

    assert state_of_everything() == before
    assert (report.prompts.added, report.videos.added, report.assets.added, report.pairs.added) == (
        0,
        0,
        0,
        0,
    )
    assert (report.prompts.already_there, report.videos.already_there, report.pairs.already_there) == (
        3,
        9,
        9,
    )
    assert report.study_created is False


def test_a_new_video_is_paired_with_those_already_there(tmp_path):
    imported(write(tmp_path, [prompt("p"), video("p-a"), video("p-b")]))
    report = imported(write(tmp_path, [prompt("p"), video("p-c")]))
    assert (report.videos.added, report.pairs.added, Pair.objects.count()) == (1, 2, 3)


def test_other_values_of_a_row_that_is_there_are_reported_and_not_written(tmp_path):
    lines = [prompt("p", licence="CC0-1.0"), video("p-a", generator="g", settings={"steps": 1})]
    imported(write(tmp_path, lines))
    before = state_of_everything()
    other = [
        prompt("p", licence="MIT", labels=[], labelled_by="x"),
        video("p-a", generator="g", settings={"steps": 2}),
    ]

    report = imported(write(tmp_path, other))

    assert state_of_everything() == before
    assert [(row.kind, row.id, row.line, row.fields) for row in report.differences] == [
        ("prompt", "p", 1, ["labels", "labelled_by", "licence"]),
        ("video", "p-a", 2, ["settings"]),
    ]


def test_what_a_line_leaves_out_is_no_difference(tmp_path):
    imported(write(tmp_path, [prompt("p", licence="CC0-1.0", language="de"), video("p-a", licence="MIT")]))
    assert imported(write(tmp_path, [prompt("p"), video("p-a")])).differences == []


def test_the_same_video_under_two_ids_is_one_video(tmp_path):
    lines = [
        prompt("p"),
        video("p-a", path="x.mp4"),
        video("p-b", path="x.mp4"),
        video("p-c", path="x.mp4", seed=2),
    ]
    report = imported(write(tmp_path, lines))
    assert (report.videos.added, report.videos.already_there, report.assets.added) == (2, 1, 1)


def test_two_videos_of_the_same_bytes_are_not_compared(tmp_path):
    lines = [prompt("p"), video("p-a", path="x.mp4"), video("p-b", path="x.mp4", seed=2), video("p-c")]
    report = imported(write(tmp_path, lines))
    assert report.pairs.added == 2
    assert "same bytes" in report.warnings[0]


def test_listed_pairs_are_taken_as_written(tmp_path):
    lines = [*prompts_with_videos(1, 3), pair("p0-c", "p0-a", priority=5, wanted=4), pair("p0-a", "p0-c")]
    report = imported(write(tmp_path, lines))

    new = Pair.objects.get()
    made = {name: Video.objects.get(asset__sha256=sha256_of(tmp_path / f"clips/p0-{name}.mp4")) for name in "ac"}
    assert (new.video_0, new.video_1) == (made["c"], made["a"])
    assert (new.priority, new.wanted, new.open_slots, new.selection_method) == (5, 4, 4, "listed")
    assert (report.pairs.added, report.pairs.already_there) == (1, 1)


def sha256_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.long
def test_random_pairs_are_drawn_by_seed_and_topped_up_but_not_exceeded(tmp_path):
    folder = write(tmp_path, prompts_with_videos(4, 5))
    choice = PairChoice.parse("random:3")
    imported(folder, pairs=choice, seed=1)
    imported(folder, "again", pairs=choice, seed=1)
    imported(folder, "other", pairs=choice, seed=2)

    drawn = {slug: set(Pair.objects.filter(study__slug=slug).values_list("public_id", flat=True)) for slug in
             ("colours", "again", "other")}  # fmt: skip
    assert drawn["colours"] == drawn["again"] != drawn["other"]
    assert len(drawn["colours"]) == 12
    assert set(Pair.objects.values_list("selection_probability", "selection_method")) == {(0.3, "random")}
    assert imported(folder, pairs=choice, seed=99).pairs.added == 0


@pytest.mark.long
def test_number_0_says_nothing_of_the_generator(tmp_path):
    lines = []
    for number in range(80):
        lines += [
            prompt(f"p{number}"),
            video(f"p{number}-a", generator="a"),
            video(f"p{number}-b", generator="b"),
        ]
    imported(write(tmp_path, lines), seed=3)
    assert 25 <= Pair.objects.filter(video_0__generator="a").count() <= 55


def test_a_pair_is_never_made_again_in_the_other_order(tmp_path):
    folder = write(tmp_path, prompts_with_videos(5, 4))
    imported(folder, seed=1)
    assert imported(folder, seed=2).pairs.added == 0


@pytest.mark.long
def test_batches_are_filled_in_turn_and_the_last_one_first_unless_it_is_being_checked(tmp_path):
    imported(write(tmp_path, prompts_with_videos(5, 2)), batch_size=3)
    assert sizes() == {1: 3, 2: 2}
    imported(write(tmp_path, prompts_with_videos(7, 2)), batch_size=3)
    assert sizes() == {1: 3, 2: 3, 3: 1}
    Batch.objects.filter(number=3).update(state="in_review")
    imported(write(tmp_path, prompts_with_videos(8, 2)), batch_size=3)
    assert sizes() == {1: 3, 2: 3, 3: 1, 4: 1}


def sizes():
    return {batch.number: batch.pairs.count() for batch in Batch.objects.order_by("number")}


@pytest.mark.long
def test_overlap_says_how_many_answers_new_pairs_want(tmp_path):
    imported(write(tmp_path, prompts_with_videos(1, 2)), overlap=3)
    Study.objects.update(sample_share=0.0)
    imported(write(tmp_path, prompts_with_videos(2, 2)))
    imported(write(tmp_path, prompts_with_videos(3, 2)), overlap=2)
    assert Study.objects.get().overlap == 3
    assert list(Pair.objects.order_by("pk").values_list("wanted", "open_slots")) == [(3, 3), (3, 3), (2, 2)]


@pytest.mark.long
@pytest.mark.parametrize(
    ("state", "ready", "held"),
    [
        ({"state": "done", "duration_s": 1.0, "fps": 24.0, "finished_at": "2026-01-01T00:00Z"}, True, False),
        ({"state": "failed", "reason": "It is no video."}, False, True),
        ({"state": "waiting"}, False, False),
    ],
)
def test_pairs_of_videos_prepared_for_another_study_are_settled_at_once(tmp_path, state, ready, held):
    for letter in "ab":
        path = write_file(tmp_path, f"clips/p0-{letter}.mp4")
        factories.asset(sha256=sha256_of(path), **state)
    report = imported(write(tmp_path, prompts_with_videos(1, 2)))
    new = Pair.objects.get()
    assert (new.ready, bool(new.held)) == (ready, held)
    assert (report.assets.added, report.assets.already_there) == (0, 2)


def test_what_an_import_did_is_in_the_audit_record(tmp_path):
    imported(write(tmp_path, prompts_with_videos(1, 2)), seed=5)
    created, done = AuditEvent.objects.order_by("pk")
    assert (created.action, created.study_slug, created.after["seed"]) == ("study.created", "colours", 5)
    assert (done.action, done.after["selection"], done.after["videos"]["added"]) == (
        "study.imported",
        "all",
        2,
    )


def test_workers_are_told_of_new_files_after_the_commit(tmp_path, django_capture_on_commit_callbacks):
    told()
    with django_capture_on_commit_callbacks(execute=True):
        imported(write(tmp_path, prompts_with_videos(1, 2)))
        assert told() == []
    assert sorted(told()) == sorted(Asset.objects.values_list("pk", flat=True))


def test_a_prompt_that_the_study_has_with_accents_stored_in_another_way_is_named(tmp_path):
    first, second = (
        write(tmp_path / form, [prompt(key, text=unicodedata.normalize(form, "A café")), video(f"{key}-a")])
        for key, form in (("p", "NFC"), ("q", "NFD"))
    )
    assert imported(first).warnings == []
    there = Prompt.objects.get().public_id
    [warning] = imported(second).warnings
    assert there in warning
    assert Prompt.objects.count() == 2
    assert imported(second).warnings == []  # it is there already
