"""Why a video failed is stored as a code with values, and is put into words in the language of the reader."""

import json

import pytest
from django.utils.translation import override

from catalog.library.listing import VIDEOS
from media import formats, reasons, recognise
from media.commands import ProgramKilled, UnplayableMedia
from media.models import Asset
from media.transcoding import POLICY
from tests import factories


def test_a_reason_is_a_code_with_values_and_its_english_sentence():
    refusal = UnplayableMedia("too_many_streams", streams=71, most=64)
    assert str(refusal) == "The file has 71 streams. The limit is 64."
    assert (refusal.code, json.loads(refusal.stored)) == (
        "too_many_streams",
        {"code": "too_many_streams", "values": {"streams": 71, "most": 64}, "english": str(refusal)},
    )


def test_it_is_worded_in_the_language_of_the_reader():
    stored = UnplayableMedia("too_long", longest_s=600).stored
    assert (
        Asset(reason=stored).reason_in_words == "The video is longer than 10 minutes, which is the limit. Shorten it."
    )
    with override("zh-hans"):
        assert Asset(reason=stored).reason_in_words == "视频长度超过上限 10 分钟。请剪短。"
        assert reasons.in_english(stored).startswith("The video is longer than 10 minutes")
        assert json.loads(UnplayableMedia("empty").stored)["english"] == "The file is empty."


def test_a_reason_may_be_a_part_of_another_one():
    found = formats.refused_format("[h264 @ 0x1] Format not on whitelist 'mov'")
    assert found is not None
    assert reasons.in_words(found).startswith(
        "The file is a raw H.264 stream without a container, which is not accepted"
    )
    killed = ProgramKilled("ended_by_signal", program="ffmpeg", signal=9).stored
    in_vain = POLICY.tried_in_vain % {"trouble": killed, "attempts": 5}
    assert reasons.in_words(in_vain) == (
        "Preparing this video failed 5 times. The last error: ffmpeg was ended by signal 9."
    )
    with override("zh-hans"):
        assert reasons.in_words(in_vain) == "处理此视频已失败 5 次。最后一次的错误：ffmpeg 被信号 9 终止。"


def test_texts_without_a_code_stay_as_they_are():
    assert reasons.in_words("No space left on device") == "No space left on device"
    assert reasons.in_words("") == ""
    assert reasons.code_of("No space left on device") == ""
    assert reasons.code_of(UnplayableMedia("empty").stored) == "empty"
    assert reasons.in_words('{"code": "of_tomorrow", "values": {}, "english": "It is new."}') == "It is new."


def test_every_kind_of_file_that_is_recognised_has_a_sentence():
    kinds = [code for _test, code in [*recognise._PLACEHOLDERS, *recognise._OTHERS]]
    assert set(kinds) <= reasons.SENTENCES.keys()
    assert recognise.placeholder(b"version https://git-lfs.github.com/spec/v1").startswith("is a Git LFS pointer")


@pytest.mark.django_db
def test_a_csv_file_has_the_code_and_the_english_sentence(study):
    stored = UnplayableMedia("empty").stored
    columns = {name: VIDEOS.columns[name] for name in ("reason_code", "reason")}
    for reason, expected in ((stored, ("empty", "The file is empty.")), ("Damaged.", (None, "Damaged."))):
        asset = factories.asset(state="failed", reason=reason)
        video = factories.video(factories.prompt(study), asset=asset)
        assert VIDEOS.rows(study).filter(pk=video.pk).values_list(*columns.values()).get() == expected
