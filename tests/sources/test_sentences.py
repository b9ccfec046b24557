"""Reasons and warnings of imports are stored once, and each reader gets them in their own language."""

import csv
import io
import json
from typing import Any

import pytest
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_noop

from diptych.refusals import Refused
from importing import tasks
from importing.models import Import
from sources.sentences import Sentence, readable, stored, worded
from tests import factories
from tests.importing.import_jobs import asked, now_of
from tests.importing.manifests import pair, prompt, prompts_with_videos, video, write, write_file

CHINESE = "zh-hans"
EMPTY = gettext_noop("%(path)s is empty")


def test_a_sentence_keeps_its_template_through_an_exception_and_through_json():
    inner = str(Refused(Sentence(EMPTY, path="a %(b)s.mp4")))
    whole = Sentence("%(reason)s.", reason=Refused(inner))

    assert whole == "a %(b)s.mp4 is empty."
    with translation.override(CHINESE):
        assert worded(json.loads(json.dumps(stored(whole)))) == "a %(b)s.mp4 是空文件。"
        assert worded("Text that nobody translated") == "Text that nobody translated"
        assert worded("") == ""


def test_values_are_never_translated_and_always_encodable():
    with translation.override(CHINESE):
        assert worded(stored(Sentence(EMPTY, path="Prompts"))) == "Prompts 是空文件"
    assert stored(readable(Sentence(EMPTY, path="a\ud800")))["values"] == {"path": "a�"}


@pytest.fixture(autouse=True)
def _english_afterwards() -> Any:
    """Deactivate the language that the last request has left active in this thread."""
    yield
    translation.deactivate()


@pytest.fixture
def chinese(study: Any) -> Any:
    return factories.member(study, "researcher", locale=CHINESE)


@pytest.fixture
def root(settings: Any, tmp_path: Any) -> Any:
    """Return the one folder that imports can read."""
    settings.IMPORT_ROOTS = [tmp_path]
    return tmp_path


def done(study: Any, location: Any, **options: Any) -> Import:
    job = asked(study, location, **options)
    tasks.run_import(job.pk)
    return now_of(job)


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_a_reason_is_english_in_the_row_and_chinese_on_pages_and_in_the_api(study, chinese, browser_client, api, root):
    (root / "in").mkdir()
    write_file(root, "in/manifest.jsonl", b"")
    job = done(study, root / "in")

    assert (job.state, "has no prompts" in job.reason) == ("failed", True)
    page = browser_client(chinese).get(reverse("importing:import", args=[study.slug, job.public_id]))
    assert "中没有提示词" in page.content.decode()
    told = api(chinese).get(f"/api/v1/imports/{job.public_id}/", HTTP_ACCEPT_LANGUAGE="zh-CN").json()
    assert "中没有提示词" in told["reason"]
    assert "中没有提示词" in told["log"][-1]["reason"]


@pytest.mark.django_db(transaction=True)
def test_bad_rows_and_warnings_are_worded_for_each_reader(study, chinese, researcher, browser_client, root):
    lines = [*prompts_with_videos(1, 2), prompt("q", licence=1), video("q-a"), pair("p0-a", "p0-b")]
    job = done(study, write(root / "in", lines), skip_bad=True, pairs="all")

    def rows(person: Any) -> list[str]:
        address = reverse("importing:bad_rows_csv", args=[study.slug, job.public_id])
        written = browser_client(person).get(address).content.decode("utf-8-sig")
        return [row["reason"] for row in csv.DictReader(io.StringIO(written))]

    assert (job.state, job.bad_rows) == ("done", 2)
    assert rows(researcher) == ["is 1; it must be of type string", "The prompt q was refused (line 4)"]
    assert rows(chinese) == ["是 1；类型必须是 string", "提示词 q 已被拒绝（第 4 行）"]
    page = browser_client(chinese).get(reverse("importing:import", args=[study.slug, job.public_id]))
    assert "提示词 q 已被拒绝（第 4 行）" in page.content.decode()
    assert "由于选项 pairs 为 all，清单中的 1 个视频对已忽略。" in page.content.decode()
