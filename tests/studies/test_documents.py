"""Texts in versions: rendering of Markdown, the text that a person gets, publishing, and changes between versions."""

import re
import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import AuditEvent
from annotation.reading import NEEDED_SECTIONS
from diptych.refusals import NotThere, Refused
from studies.documents.changes import changes
from studies.documents.markdown import html_of, sections
from studies.documents.publishing import publish
from studies.documents.texts import LANGUAGES, shipped, text_of, versions
from studies.models import Document, DocumentVersion, Study
from tests import factories

KINDS = ("guideline", "consent")


def guideline(**extra):
    """Return a guideline with every required section, in both languages. `extra` replaces the words of some."""
    parts = [f"## About {key} {{#{key}}}\n\n{extra.get(key, f'Words about {key}.')}" for key in NEEDED_SECTIONS]
    return dict.fromkeys(LANGUAGES, "\n\n".join(parts))


# --- Markdown


@pytest.mark.long
def test_headings_with_an_anchor_are_sections_and_others_stay_inside():
    text = "# Title\n\nFirst.\n\n## One {#one}\n\nA *word*.\n\n## Inside\n\nB.\n\n### Two `x` {#two-a}\n\n- C"
    parts = sections(text)
    assert [(part.key, part.title, part.level) for part in parts] == [
        ("", "Title", 1),
        ("one", "One", 2),
        ("two-a", "Two x", 3),
    ]
    assert parts[1].html == "<p>A <em>word</em>.</p>\n<p><strong>Inside</strong></p>\n<p>B.</p>\n"


@pytest.mark.long
@pytest.mark.parametrize(
    "markdown",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        '<img src=x onerror="alert(1)">',
        "![a picture](https://example.org/x.png)",
        "<a href='x' onclick='y'>z</a>",
    ],
)
def test_nothing_that_runs_or_is_fetched_comes_out(markdown):
    html = html_of(markdown)
    assert not re.search(r"<(script|img)|<[^>]*(onerror|onclick|javascript)", html)


@pytest.mark.long
def test_a_link_opens_beside_the_page():
    assert html_of("[x](https://example.org)") == (
        '<p><a href="https://example.org" target="_blank" rel="noopener noreferrer">x</a></p>\n'
    )


# --- The shipped texts


@pytest.mark.long
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_shipped_guideline_has_a_section_for_every_question_and_tag(language):
    keys = [part.key for part in sections(shipped("guideline")[language])]
    assert len(set(keys)) == len(keys)
    assert set(NEEDED_SECTIONS) <= set(keys)


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_the_shipped_texts_have_the_same_sections_in_every_language(kind):
    outlines = {tuple((part.key, part.level) for part in sections(text)) for text in shipped(kind).values()}
    assert len(outlines) == 1


@pytest.mark.long
@pytest.mark.parametrize(
    ("language", "sides", "tagging"),
    [("en", ("Left", "Right"), ("Tag", "No tag")), ("zh-hans", ("选左", "选右"), ("标记", "不标记"))],
)
def test_the_shipped_examples_are_balanced(language, sides, tagging):
    """In every question left is as frequent as right, and for every tag yes is as frequent as no."""
    for part in sections(shipped("guideline")[language]):
        for one, other in (sides, tagging):
            assert part.html.count(f"<strong>{one}</strong>") == part.html.count(f"<strong>{other}</strong>"), part.key
        if part.key in NEEDED_SECTIONS:
            assert "→ <strong>" in part.html, part.key


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_mark_of_the_shipped_markdown_is_left_over(kind, language):
    html = "".join(part.title + part.html for part in sections(shipped(kind)[language]))
    assert not re.search(r"\*\*|\{#|(?<!\w)_\w", html)


# --- Which text


@pytest.mark.long
@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_study_begins_with_the_shipped_texts(study, kind, language):
    text = text_of(study, kind, language)
    assert (text.version, text.language, text.text) == (1, language, shipped(kind)[language])
    assert Document.objects.filter(study=study).count() == len(LANGUAGES)


@pytest.mark.long
@pytest.mark.django_db
def test_a_study_that_moved_on_before_it_had_texts_gets_them_at_its_version(study):
    Study.objects.filter(pk=study.pk).update(guideline_version=4)
    study.refresh_from_db()
    assert text_of(study, "guideline", "en").version == 4


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_two_who_need_the_first_text_at_once_write_it_once():
    study = factories.study()
    gate = threading.Barrier(2)
    found = []

    def read():
        gate.wait()
        found.append(text_of(study, "guideline", "en").pk)
        connection.close()

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert len(set(found)) == 1
    assert Document.objects.count() == len(LANGUAGES)


@pytest.mark.long
@pytest.mark.django_db
def test_a_language_without_a_text_gets_the_other_one(study):
    publish(study, "consent", texts={"en": "I agree."}, actor=None)
    text = text_of(study, "consent", "zh-hans")
    assert (text.language, text.text) == ("en", "I agree.")


@pytest.mark.long
@pytest.mark.django_db
def test_an_earlier_version_stays_and_one_that_never_was_is_refused(study):
    publish(study, "guideline", texts=guideline(), actor=None)
    assert text_of(study, "guideline", "en", 1).text == shipped("guideline")["en"]
    with pytest.raises(NotThere, match="version 3"):
        text_of(study, "guideline", "en", 3)


# --- Publishing


@pytest.mark.long
@pytest.mark.django_db
def test_publishing_makes_the_next_version_in_every_language(study, researcher):
    assert publish(study, "guideline", texts=guideline(), actor=researcher) == 2
    study.refresh_from_db()
    assert (study.guideline_version, study.protocol_version, study.consent_version) == (2, 2, 1)
    assert {(text.version, text.language) for text in versions(study, "guideline")} == {
        (version, language) for version in (1, 2) for language in LANGUAGES
    }
    event = AuditEvent.objects.get(action="guideline.published")
    assert (event.actor, event.before, event.after["version"]) == (researcher, {"version": 1}, 2)


@pytest.mark.long
@pytest.mark.django_db
def test_a_new_consent_text_is_no_new_protocol(study):
    publish(study, "consent", texts={"en": "I agree.", "zh-hans": "我同意。"}, actor=None)
    study.refresh_from_db()
    assert (study.consent_version, study.guideline_version, study.protocol_version) == (2, 1, 1)


@pytest.mark.long
@pytest.mark.django_db
def test_the_same_words_make_no_version(study):
    with pytest.raises(Refused, match="same as in version 1"):
        publish(study, "guideline", texts=shipped("guideline"), actor=None)
    study.refresh_from_db()
    assert study.guideline_version == 1
    assert not AuditEvent.objects.filter(action="guideline.published").exists()


@pytest.mark.long
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        ({}, "no text"),
        ({"en": "  "}, "English is empty"),
        ({"fr": "## Un {#un}"}, "not have the language fr"),
        ({"en": "a\0b"}, "NUL"),
        ({"en": "x" * 200_001}, "longer than 200000"),
        ({"en": "## A {#a}\n\n## B {#a}"}, "several sections with the same key: a"),
        ({"en": "## A {#one}"}, "English has no sections with these keys: two, three"),
    ],
)
def test_a_text_that_cannot_serve_is_refused_in_words(study, texts, reason):
    with pytest.raises(Refused, match=reason):
        publish(study, "guideline", texts=texts, actor=None, needed=("one", "two", "three"))
    assert study.guideline_version == 1


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_of_two_who_publish_at_once_one_is_told_of_the_other():
    study = factories.study()
    gate = threading.Barrier(2)
    outcomes = []

    def publish_one(words):
        mine = Study.objects.get(pk=study.pk)
        gate.wait()
        try:
            outcomes.append(publish(mine, "consent", texts={"en": words}, actor=None))
        except Refused as refusal:
            outcomes.append(str(refusal))
        connection.close()

    threads = [threading.Thread(target=publish_one, args=[words]) for words in ("One.", "Two.")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 2 in outcomes
    assert any("Somebody else published" in str(outcome) for outcome in outcomes)
    study.refresh_from_db()
    assert study.consent_version == 2
    assert Document.objects.filter(version=2).count() == 1
    assert sorted(DocumentVersion.objects.values_list("kind", "version")) == [("consent", 1), ("consent", 2)]


# --- Changes


def difference(before, after):
    return {change.key: (change.kind, change.html.strip()) for change in changes(sections(before), sections(after))}


@pytest.mark.long
def test_words_that_differ_are_marked_and_the_rest_is_not():
    assert difference("## A {#a}\n\nSee **both** videos.", "## A {#a}\n\nSee **both** clips twice.") == {
        "a": ("changed", "<p>See <strong>both</strong> <del>videos</del><ins>clips twice</ins>.</p>")
    }


@pytest.mark.long
def test_chinese_is_compared_by_character():
    assert difference("## 一 {#a}\n\n请看两个视频。", "## 一 {#a}\n\n请看完两个视频。") == {
        "a": ("changed", "<p>请看<ins>完</ins>两个视频。</p>")
    }


@pytest.mark.long
def test_sections_that_come_and_go_are_told_as_such():
    told = difference("## A {#a}\n\nOne.\n\n## B {#b}\n\n- Two.", "## A {#a}\n\nOne.\n\n## C {#c}\n\nThree.")
    assert told == {
        "a": ("same", "<p>One.</p>"),
        "b": ("removed", "<ul><li><del>Two.</del></li></ul>"),
        "c": ("added", "<p><ins>Three.</ins></p>"),
    }


@pytest.mark.long
def test_a_list_shows_the_item_that_changed():
    before = "## A {#a}\n\n- Look at the shapes of things.\n- Nothing else."
    after = "## A {#a}\n\n- Look at the shapes and sizes of things.\n- Nothing else."
    assert difference(before, after)["a"][1] == (
        "<ul><li>Look at the shapes <ins>and sizes</ins> of things.</li>\n<li>Nothing else.</li></ul>"
    )


@pytest.mark.long
def test_a_paragraph_of_other_words_is_one_gone_and_one_new():
    told = difference("## A {#a}\n\nWatch the left video.", "## A {#a}\n\nTies are never offered here at all.")
    assert told["a"][1] == (
        "<p><del>Watch the left video.</del></p>\n<p><ins>Ties are never offered here at all.</ins></p>"
    )


@pytest.mark.long
def test_a_heading_in_other_words_is_a_change():
    kind, html = difference("## Old name {#a}\n\nX.", "## New name {#a}\n\nX.")["a"]
    assert kind == "changed"
    assert html.startswith("<p><del>Old</del><ins>New</ins> name</p>")


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_marks_never_break_the_html(kind):
    """Between the two most different real texts, every element that is opened is closed."""
    texts = [sections(shipped(kind)[language]) for language in LANGUAGES]
    for before, after in (texts, reversed(texts)):
        for change in changes(before, after):
            opened = []
            for closing, tag in re.findall(r"<(/?)(\w+)", change.html):
                if closing:
                    assert opened.pop() == tag, change.key
                else:
                    opened.append(tag)
            assert opened == []


# --- The command


@pytest.fixture
def files(tmp_path):
    def write(texts):
        arguments = []
        for language, text in texts.items():
            path = tmp_path / f"{language}.md"
            path.write_text(text, "utf-8")
            arguments += [f"--{language}", str(path)]
        return arguments

    return write


@pytest.mark.long
@pytest.mark.django_db
def test_the_command_publishes_a_guideline(study, files, capsys):
    call_command("publish_guideline", study.slug, *files(guideline()))
    study.refresh_from_db()
    assert study.guideline_version == 2
    assert "Version 2" in capsys.readouterr().out


@pytest.mark.long
@pytest.mark.django_db
def test_the_command_says_what_is_missing(study, files):
    with pytest.raises(CommandError, match="no sections with these keys: correctness") as refusal:
        call_command("publish_guideline", study.slug, *files({"en": "## A {#instruction_following}"}))
    assert refusal.value.returncode == 1
    study.refresh_from_db()
    assert study.guideline_version == 1


@pytest.mark.long
@pytest.mark.django_db
def test_the_command_refuses_what_it_cannot_read(study, tmp_path):
    wrong = tmp_path / "latin.md"
    wrong.write_bytes("Übung".encode("latin-1"))
    for arguments, reason in (
        (["nowhere", "--en", str(wrong)], "no study"),
        ([study.slug], "Name at least one file"),
        ([study.slug, "--en", str(wrong)], "not UTF-8"),
        ([study.slug, "--en", str(tmp_path / "none.md")], "cannot be read"),
    ):
        with pytest.raises(CommandError, match=reason) as refusal:
            call_command("publish_guideline", *arguments)
        assert refusal.value.returncode == 2


# --- The page


@pytest.mark.long
@pytest.mark.django_db
def test_the_page_shows_both_languages_side_by_side(study, researcher, browser_client):
    page = browser_client(researcher).get(f"/studies/{study.slug}/guideline/").content.decode()
    assert "In which video does more happen?" in page
    assert "哪个视频中实际发生的事情更多？" in page
    assert "What changed since" not in page


@pytest.mark.long
@pytest.mark.django_db
def test_the_page_shows_what_changed_and_only_that(study, researcher, browser_client):
    publish(study, "guideline", texts=guideline(), actor=None)
    publish(study, "guideline", texts=guideline(tags="Other words about tags."), actor=None)
    client = browser_client(researcher)
    page = client.get(f"/studies/{study.slug}/guideline/", {"changes": 1}).content.decode()
    assert "<ins>Other words" in page
    assert "About tags" in page
    assert "About aesthetics" not in page
    earlier = client.get(f"/studies/{study.slug}/guideline/", {"version": 2}).content.decode()
    assert "Words about tags" in earlier


@pytest.mark.long
@pytest.mark.django_db
@pytest.mark.parametrize("version", ["9", "0", "-1", "01", "x", "²", ""])
def test_a_version_that_never_was_is_not_found(study, researcher, browser_client, version):
    response = browser_client(researcher).get(f"/studies/{study.slug}/guideline/", {"version": version})
    assert response.status_code == 404


@pytest.mark.long
@pytest.mark.django_db
def test_the_page_takes_few_queries_however_many_versions(
    study, researcher, browser_client, django_assert_max_num_queries
):
    for number in range(5):
        publish(study, "guideline", texts=guideline(tags=f"Words {number}."), actor=None)
    client = browser_client(researcher)
    with django_assert_max_num_queries(7):
        client.get(f"/studies/{study.slug}/guideline/", {"changes": 1})
