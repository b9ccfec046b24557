"""Editing the guideline in the browser: checked, previewed, reviewed, and published once, never over another change."""

import pytest

from accounts.models import AuditEvent
from annotation.reading import NEEDED_SECTIONS
from studies.documents.publishing import publish
from studies.documents.texts import LANGUAGES, shipped, versions
from studies.models import Document
from tests import factories

pytestmark = pytest.mark.django_db


def texts(**extra):
    """Return a guideline with every required section. `extra` replaces the words of some."""
    parts = [f"## About {key} {{#{key}}}\n\n{extra.get(key, f'Words about {key}.')}" for key in NEEDED_SECTIONS]
    return dict.fromkeys(LANGUAGES, "\n\n".join(parts))


@pytest.fixture
def editor(study, researcher, browser_client):
    """Open the editor, or send something to it, as a researcher."""
    client = browser_client(researcher)
    address = f"/studies/{study.slug}/guideline/edit/"

    def use(act="", given=None, follows=1, status=200):
        if not act:
            response = client.get(address)
        else:
            sent = {f"text-{code}": text.replace("\n", "\r\n") for code, text in (given or texts()).items()}
            response = client.post(address, sent | {"act": act, "follows": follows})
        assert response.status_code == status, response.content[:500]
        return response

    return use


def said(response):
    return " ".join(str(message) for message in response.wsgi_request._messages)


@pytest.mark.long
def test_it_begins_with_the_words_in_force(editor):
    page = editor().content.decode()
    assert "In which video does more happen? {#informativeness}" in page
    assert "{#informativeness}" in page
    assert "哪个视频中实际发生的事情更多？" in page


@pytest.mark.long
def test_looking_over_says_what_follows_and_publishes_nothing(study, editor):
    factories.member(study, "annotator")
    page = editor("review", texts(tags="Other words about tags.")).content.decode()
    assert "Publish version 2?" in page
    assert "from version 1 to 2" in page
    assert "1 annotator reads the changes" in page
    assert "Other words" in page
    study.refresh_from_db()
    assert study.guideline_version == 1


@pytest.mark.long
def test_publishing_makes_the_version_for_everybody(study, researcher, editor):
    response = editor("publish", texts(tags="一"), status=302)
    assert response.url.endswith("/guideline/edit/?published=2")
    study.refresh_from_db()
    assert (study.guideline_version, study.protocol_version) == (2, 2)
    assert {text.text for text in versions(study, "guideline").filter(version=2)} == set(texts(tags="一").values())
    assert AuditEvent.objects.get(action="guideline.published").actor == researcher
    history = editor().context["history"]
    assert [(one.version, one.by) for one in history] == [(2, researcher.username), (1, "")]


@pytest.mark.long
def test_publishing_twice_publishes_once(study, editor):
    editor("publish", status=302)
    editor("publish", status=302)
    study.refresh_from_db()
    assert study.guideline_version == 2


@pytest.mark.long
def test_the_same_words_are_no_version(study, editor):
    response = editor("review", shipped("guideline"), status=302)
    assert "same as in version 1" in said(response)
    study.refresh_from_db()
    assert study.guideline_version == 1


@pytest.mark.long
@pytest.mark.parametrize("act", ["review", "publish"])
def test_missing_sections_are_named_with_their_language_before_anything_is_published(study, editor, act):
    given = texts()
    given["zh-hans"] = given["zh-hans"].replace("{#tag-hate}", "").replace("{#correctness}", "")
    page = editor(act, given, status=400).content.decode()
    assert "The text in Chinese has no sections with these keys: correctness, tag-hate." in page
    assert "The text in English lacks" not in page
    assert "Words about aesthetics." in page
    study.refresh_from_db()
    assert study.guideline_version == 1


@pytest.mark.long
def test_what_somebody_else_published_meanwhile_is_shown_and_not_overwritten(study, editor):
    somebody = factories.member(study, "researcher")
    theirs = shipped("guideline")["en"].replace("This is your own taste", "Take your time. This is your own taste")
    publish(study, "guideline", texts=shipped("guideline") | {"en": theirs}, actor=somebody)
    mine = texts(tags="Mine alone.")
    response = editor("publish", mine, follows=1, status=409)
    page = response.content.decode()
    assert "Version 2 was published while you were editing" in page
    assert somebody.username in page
    assert "Take your time" in page
    assert "Mine alone." in page
    assert Document.objects.filter(study=study, version=3).count() == 0
    editor("publish", mine, follows=response.context["follows"], status=302)
    study.refresh_from_db()
    assert study.guideline_version == 3


@pytest.mark.long
def test_a_language_left_empty_is_told_before_and_left_out(study, editor):
    given = texts() | {"zh-hans": " \n"}
    page = editor("review", given).content.decode()
    assert "There is no text in Chinese" in page
    editor("publish", given, status=302)
    assert versions(study, "guideline").filter(version=2).count() == 1


@pytest.mark.long
def test_no_text_at_all_is_refused(editor):
    page = editor("review", dict.fromkeys(LANGUAGES, ""), status=400).content.decode()
    assert "There is no text. Write it in at least one of" in page


@pytest.mark.long
def test_going_back_to_the_editor_keeps_the_words(editor):
    assert "Mine alone." in editor("edit", texts(tags="Mine alone.")).content.decode()


@pytest.mark.long
@pytest.mark.parametrize("follows", ["", "x", "-1", "²", "9" * 40])
def test_a_page_that_follows_nothing_is_refused(editor, follows):
    editor("publish", follows=follows, status=400)


@pytest.mark.long
@pytest.mark.parametrize("role", ["annotator", "reviewer", "wellbeing_contact"])
def test_others_read_it_and_do_not_edit_it(study, browser_client, role):
    client = browser_client(factories.member(study, role))
    assert client.get(f"/studies/{study.slug}/guideline/").status_code == 200
    assert client.get(f"/studies/{study.slug}/guideline/edit/").status_code == 403
    assert client.post(f"/studies/{study.slug}/guideline/preview/").status_code == 403


# --- The preview


@pytest.fixture
def preview(study, researcher, browser_client):
    client = browser_client(researcher)

    def ask(text, language="en", **more):
        return client.post(f"/studies/{study.slug}/guideline/preview/", {"text": text, "language": language} | more)

    return ask


@pytest.mark.long
def test_the_preview_is_what_annotators_will_see(preview):
    html = preview("## A *word* {#a}\r\n\r\nSome **words**.\r\n\r\n<script>alert(1)</script>").content.decode()
    assert "<h3>A word" in html
    assert "<p>Some <strong>words</strong>.</p>" in html
    assert "<script" not in html


@pytest.mark.long
def test_the_preview_says_what_is_missing(preview):
    assert "no sections with these keys: instruction_following" in preview("## A {#a}").content.decode()


@pytest.mark.long
def test_the_preview_shows_what_changed(preview):
    text = shipped("guideline")["en"].replace("This is your own taste", "Look twice. This is your own taste")
    html = preview(text, changes="1").content.decode()
    assert "<ins>Look twice" in html
    assert html.count("<section>") == 1
    assert "Nothing differs" in preview(shipped("guideline")["en"], changes="1").content.decode()


@pytest.mark.long
def test_the_preview_of_another_language_is_refused(preview):
    assert preview("x", language="fr").status_code == 400


# --- Any two versions


@pytest.mark.long
def test_any_two_versions_are_compared(study, researcher, browser_client):
    for words in ("One.", "Two.", "Three."):
        publish(study, "guideline", texts=texts(tags=words), actor=researcher)
    client = browser_client(researcher)
    page = client.get(f"/studies/{study.slug}/guideline/", {"version": 4, "against": 2}).content.decode()
    assert "<del>One" in page
    assert "<ins>Three" in page
    assert "What changed since version 2" in page
    assert client.get(f"/studies/{study.slug}/guideline/", {"version": 4, "against": 9}).status_code == 404


@pytest.mark.long
def test_only_who_may_edit_is_led_to_the_editor(study, researcher, annotator, browser_client):
    address, way = f"/studies/{study.slug}/guideline/", f"/studies/{study.slug}/guideline/edit/"
    assert way in browser_client(researcher).get(address).content.decode()
    assert way not in browser_client(annotator).get(address).content.decode()
