"""Rows that cannot be imported: each is reported with line, field and reason, and none ends in a traceback."""

import os

import pytest

from catalog.models import Prompt, Video
from diptych.refusals import Refused
from media.models import Asset
from sources.schema import SCHEMA
from studies.harms import HARM_KEYS
from studies.models import Study
from tests.importing.manifests import imported, pair, prompt, prompts_with_videos, video, write, write_file

pytestmark = pytest.mark.django_db

#: Zero-width space, byte order mark, Hangul filler, Braille blank, soft hyphen; then others of the same properties.
INVISIBLE = (
    *("\u200b", "\ufeff", "\u3164", "\u2800", "\xad"),
    *("\u200e\u2066\u2069", "\ufe0f\u200d", "\u115f \uffa0\n", "\U000e0041\U000e007f", "\u2028\u180e", "\u034f\u061c"),
    *("\u0085\ufff9", "\U0001d159", "\U000e01ef", "\u17b4", "\u206a", "\U0001bca0", "\U00013441"),
)


def complaints(report):
    return [(bad.line, bad.field, bad.reason) for bad in report.bad]


@pytest.mark.parametrize(
    ("line", "field", "reason"),
    [
        (b'{"type": "prompt", "id": "x", "text": "caf\xe9"}', "", "not UTF-8"),
        (b'{"type": "prompt", "id": "x"', "", "not JSON"),
        (b'["prompt", "x"]', "", "not a JSON object"),
        (b'{"type": "prompt", "id": "x", "text": "\\ud800"}', "text", "half of a character (\\ud800)"),
        (b'{"type": "video", "id": "x", "prompt": "p0", "path": "x", "settings": {"a": NaN}}', "settings.a",
         "is NaN, which is not JSON"),
        (b'{"type": "video", "id": "x", "prompt": "p0", "path": "x", "settings": {"a": 1e999}}', "settings.a",
         "beyond ±2^53"),
        (b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}", "", "not JSON"),
        (b'{"type": "prompt", "id": "x", "text": "' + b"a" * (1 << 20) + b'"}', "", "longer than"),
        ({"id": "x"}, "type", "is missing"),
        (prompt("x", type="promt"), "type", "it must be prompt, video, pair or label"),
        ({"type": ["prompt"]}, "type", "it must be prompt, video, pair or label"),
        ({"type": "prompt", "id": "x"}, "text", "is missing"),
        (prompt("x", text=""), "text", "is empty"),
        (prompt("x", text=" \n "), "text", "is empty"),
        *[(prompt("x", text=text), "text", "the prompt has no visible character") for text in INVISIBLE],
        (prompt("x", text="a\x00b"), "text", "NUL"),
        (prompt("x", text="a" * 20_001), "text", "20001 characters long; at most 20000"),
        (prompt("x", text=5), "text", "is 5; it must be of type string"),
        (prompt(7), "id", "must be of type string"),
        (prompt("x", license="MIT"), "license", "is not a field of a prompt (did you mean licence?)"),
        (prompt("x", licence=None), "licence", "leave the field out"),
        (prompt("x", licence="a" * 81), "licence", "at most 80"),
        (prompt("x", language="not a language"), "language", "BCP 47"),
        (prompt("x", language="en\n"), "language", "BCP 47"),
        (prompt("x", prompt_type="neutral"), "prompt_type", "did you mean safety_neutral?"),
        (prompt("x", labels=["violense"], labelled_by="y"), "labels.0", "did you mean violence?"),
        (prompt("x", labels=["hate", "hate"], labelled_by="y"), "labels", "twice"),
        (prompt("x", labels=["hate"]), "labelled_by", "labels needs it"),
        (prompt("x", labelled_by="y"), "labels", "labelled_by needs it"),
        (prompt("x", set="train"), "set", "corpus or eval"),
        (video("p0-x", path="a\x00b"), "path", "NUL"),
        (video("p0-x", refined_by="llm"), "video_text", "is missing"),
        (video("p0-x", refined_by="llm", video_text=""), "video_text", "is empty"),
        (video("p0-x", refined_by="llm", video_text="\u200b"), "video_text", "the text has no visible character"),
        (video("p0-x", settings=[1]), "settings", "must be of type object"),
        (video("p0-x", settings={"deep": {"a\x00": 1}}), "settings.deep.a�", "NUL"),
        (video("p0-x", settings={"long": "a" * 20_001}), "settings", "longer than"),
        (b'{"type": "video", "id": "x", "prompt": "p0", "path": "clips/p0-a.mp4", "settings": {"a": '
         + b"[" * 30 + b"]" * 30 + b"}}", "settings", "levels deep"),
        (b'{"type": "video", "id": "x", "prompt": "p0", "path": "clips/p0-a.mp4", "seed": 1e3}',
         "seed", "quotation marks"),
        (b'{"type": "video", "id": "x", "prompt": "p0", "path": "clips/p0-a.mp4", "seed": ' + b"9" * 80 + b"}",
         "seed", "more than 79 digits"),
        (video("p9-x"), "prompt", "No prompt with the id p9 is in the manifest"),
        (video("p0-x", derived_from="p0-q"), "derived_from", "No video with the id p0-q"),
        (video("p0-x", derived_from="p0-x"), "derived_from", "derived from itself"),
        (pair("p0-a", "p0-a"), "video_1", "compared with itself"),
        (pair("p0-a", "p0-q"), "video_1", "No video with the id p0-q"),
        (pair("p0-a", "p1-a"), "video_1", "different prompts, p0 and p1"),
        (pair("p0-a", "p0-b", prompt="p1"), "prompt", "is p1, but the videos are of the prompt p0"),
        (pair("p0-a", "p0-b", wanted=0), "wanted", "at least 1"),
        (pair("p0-a", "p0-b", wanted=1.5), "wanted", "must be of type integer"),
        (pair("p0-a", "p0-b", priority=10**12), "priority", "at most"),
    ],
)  # fmt: skip
def test_bad_line_is_named_and_keeps_everything_out(tmp_path, line, field, reason):
    report = imported(write(tmp_path, [*prompts_with_videos(2, 2), line]))

    assert not report.imported
    assert (7, field) in [(bad.line, bad.field) for bad in report.bad]
    assert any(reason in bad.reason and bad.file == "manifest.jsonl" for bad in report.bad), report.bad
    assert not Study.objects.exists()
    assert not Asset.objects.exists()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("missing.mp4", "does not exist"),
        ("clips\\p0-a.mp4", "forward slashes"),
        ("clips", "is a folder"),
        ("empty.mp4", "is empty"),
        ("pipe.mp4", "not a regular file"),
        ("../outside.mp4", "leads out of the imported folder"),
        ("clips/../../outside.mp4", "leads out of the imported folder"),
        ("../nothing.mp4", "leads out of the imported folder"),
        ("/etc/hostname", "leads out of the imported folder"),
        ("link.mp4", "leads out of the imported folder"),
        ("linked/outside.mp4", "leads out of the imported folder"),
        ("circle.mp4", "does not exist"),
        ("a" * 300, "has a name that is longer than 255 bytes. Shorten the name"),
    ],
)
def test_file_that_may_not_be_imported(tmp_path, path, reason):
    folder = tmp_path / "study"
    write_file(tmp_path, "outside.mp4")
    write_file(folder, "empty.mp4", b"")
    os.mkfifo(folder / "pipe.mp4")
    (folder / "link.mp4").symlink_to(tmp_path / "outside.mp4")
    (folder / "linked").symlink_to(tmp_path)
    (folder / "circle.mp4").symlink_to(folder / "circle.mp4")
    write(folder, prompts_with_videos(1, 2))
    lines = [*prompts_with_videos(1, 2), video("p0-x", path=path)]

    report = imported(write(folder, lines, files=False))

    assert [(line, field) for line, field, _ in complaints(report)] == [(4, "path")]
    assert reason in report.bad[0].reason


def test_link_and_absolute_path_inside_the_folder_are_fine(tmp_path):
    folder = write(tmp_path, [prompt("p"), video("p-a")])
    (tmp_path / "link.mp4").symlink_to("clips/p-a.mp4")
    lines = [prompt("p"), video("p-a", path="link.mp4"), video("p-b", path=str(tmp_path / "clips/p-a.mp4"), seed=1)]
    assert imported(write(folder, lines, files=False)).videos.added == 2


def test_every_bad_row_is_reported_and_rows_that_need_one_are_refused_with_it(tmp_path):
    lines = [
        prompt("p", licence=1),
        video("p-a"),
        prompt("q"),
        video("q-a", path="missing.mp4"),
        video("q-b"),
        video("q-c", derived_from="q-a"),
        video("q-d", derived_from="q-c"),
        pair("q-d", "q-b"),
    ]
    write_file(tmp_path, "clips/q-b.mp4")
    write(tmp_path, lines, files=False)
    for name in ("p-a", "q-c", "q-d"):
        write_file(tmp_path, f"clips/{name}.mp4")

    report = imported(tmp_path)

    assert sorted(complaints(report)) == [
        (1, "licence", "is 1; it must be of type string"),
        (2, "prompt", "The prompt p was refused (line 1)"),
        (4, "path", "missing.mp4 does not exist, or leads out of the imported folder"),
        (6, "derived_from", "The video q-a was refused (line 4)"),
        (7, "derived_from", "The video q-c was refused (line 6)"),
        (8, "video_0", "The video q-d was refused (line 7)"),
    ]


def test_skip_bad_imports_the_rest(tmp_path):
    lines = [b"no json", prompt("p", nonsense=1), video("p-a"), *prompts_with_videos(1, 2), pair("p-a", "p0-a")]
    report = imported(write(tmp_path, lines), skip_bad=True)
    assert report.imported
    assert [line for line, _, _ in complaints(report)] == [1, 2, 3, 7]
    assert (Prompt.objects.count(), Video.objects.count()) == (1, 2)


def test_same_text_under_two_ids_names_both_lines(tmp_path):
    report = imported(write(tmp_path, [prompt("p", text="One"), prompt("q", text="Two"), prompt("r", text="One")]))
    assert complaints(report) == [(3, "text", "The prompt r has the same text as p (line 1): use one id")]


def test_same_id_twice_refuses_both_lines(tmp_path):
    report = imported(write(tmp_path, [prompt("p", text="One"), prompt("p", text="Two"), video("p-a")]), skip_bad=True)
    assert not report.imported
    assert sorted(complaints(report)) == [
        (1, "id", "The prompt p is also in line 2"),
        (2, "id", "The prompt p is also in line 1"),
        (3, "prompt", "The prompt p was refused (line 1)"),
    ]


def test_videos_derived_from_each_other_are_refused(tmp_path):
    lines = [prompt("p"), video("p-a", derived_from="p-b"), video("p-b", derived_from="p-a"), video("p-c")]
    report = imported(write(tmp_path, lines))
    assert {(line, field) for line, field, _ in complaints(report)} == {(2, "derived_from"), (3, "derived_from")}


def test_listed_pair_of_one_video_under_two_ids_is_refused(tmp_path):
    lines = [prompt("p"), video("p-a", path="x.mp4"), video("p-b", path="x.mp4"), pair("p-a", "p-b")]
    report = imported(write(tmp_path, lines))
    assert complaints(report) == [(4, "video_1", "The videos p-a and p-b are the same: same bytes, same origin")]


@pytest.mark.parametrize(
    ("lines", "refused"),
    [
        # The same bytes and origin twice: one video.
        ([video("p-a", path="x.mp4"), video("p-b", path="x.mp4", derived_from="p-a")], {3: "p-a"}),
        (
            [
                video("p-a", path="x.mp4", derived_from="p-b"),
                video("p-b", path="y.mp4"),
                video("p-c", path="y.mp4", derived_from="p-a"),
                video("p-d", derived_from="p-c"),
            ],
            {2: "p-b", 4: "p-a", 5: None},
        ),
    ],
)
def test_videos_derived_from_themselves_because_two_ids_are_one_video_are_refused(tmp_path, lines, refused):
    report = imported(write(tmp_path, [prompt("p"), *lines]))
    assert {line: field for line, field, _ in complaints(report)} == dict.fromkeys(refused, "derived_from")
    for line, _, reason in complaints(report):
        if refused[line]:
            assert reason.startswith(
                f"The video {refused[line]} would be derived from itself: videos with the same bytes"
            )
    assert not Video.objects.exists()


def test_the_same_bytes_twice_without_a_circle_may_be_derived_from(tmp_path):
    lines = [prompt("p"), video("p-a", path="x.mp4"), video("p-b", path="x.mp4"), video("p-c", derived_from="p-b")]
    assert imported(write(tmp_path, lines)).imported
    assert Video.objects.get(derived_from__isnull=False).derived_from == Video.objects.get(derived_from=None)


def test_a_circle_among_many_names_those_in_it_and_refuses_what_hangs_on_it(tmp_path):
    lines = [
        prompt("p"),
        video("p-x", derived_from="p-a"),
        video("p-a", derived_from="p-b"),
        video("p-b", derived_from="p-a"),
        video("p-y", derived_from="p-b"),
        video("p-o"),
        video("p-z", derived_from="p-o"),
    ]
    report = imported(write(tmp_path, lines), skip_bad=True)
    assert {line for line, _, _ in complaints(report)} == {2, 3, 4, 5}
    assert Video.objects.count() == 2


def test_three_lines_with_one_id_and_one_of_them_bad(tmp_path):
    lines = [prompt("p", nonsense=1), prompt("p", text="Two"), prompt("p", text="Three")]
    report = imported(write(tmp_path, lines))
    assert sorted(complaints(report)) == [
        (1, "nonsense", "is not a field of a prompt"),
        (2, "id", "The prompt p is also in line 1"),
        (3, "id", "The prompt p is also in line 1"),
    ]


def test_a_file_whose_name_is_not_utf8_is_reported_readably(tmp_path):
    write_file(tmp_path, "ball/prompt.txt", b"A ball")
    write_file(tmp_path, "ball/one.mp4")
    (tmp_path / os.fsdecode(b"ball/tw\xff.mp4")).write_bytes(b"not really a video")
    report = imported(tmp_path)
    assert [(bad.file, bad.reason) for bad in report.bad] == [
        ("ball/tw?.mp4", "The name of the file is not UTF-8. Rename the file")
    ]


def test_blank_lines_and_a_byte_order_mark_are_no_errors(tmp_path):
    lines = [b'\xef\xbb\xbf{"type": "prompt", "id": "p", "text": "One"}', b"", b"  \r", video("p-a")]
    assert imported(write(tmp_path, lines)).videos.added == 1


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_manifest_without_rows_is_no_import(tmp_path, content):
    (tmp_path / "manifest.jsonl").write_bytes(content)
    with pytest.raises(Refused, match="has no prompts"):
        imported(tmp_path)


def test_schema_allows_what_the_columns_hold():
    columns = {"prompt": Prompt, "video": Video}
    for kind, model in columns.items():
        for name, rules in SCHEMA["$defs"][kind]["properties"].items():
            longest = None if name in ("type", "id", "prompt") or not hasattr(model, name) else (
                model._meta.get_field(name).max_length
            )  # fmt: skip
            if longest and "maxLength" in rules:
                assert rules["maxLength"] == longest, (kind, name)
    assert SCHEMA["$defs"]["prompt"]["properties"]["labels"]["items"]["enum"] == list(HARM_KEYS)
