"""Why an answer is invalid is said in words, in the language of the page, also where a review found it."""

from django.utils import translation

from annotation.models import Standing
from answers.my_work import _feedback
from answers.words import reason_of_review
from qc.models import Verdict


def test_every_reason_of_a_defect_has_words():
    with translation.override("zh-hans"):
        words = {code: str(reason_of_review(code)) for code in [*Verdict.Code.values, "defect"]}
    assert words["overlooked"] == "漏看了明显可见的内容"
    assert words["other"] == "其他原因"
    assert all(letter < "a" or letter > "z" for said in words.values() for letter in said.lower())


def test_the_annotator_reads_the_reason_and_not_its_code():
    standing = Standing(validity=Standing.Validity.INVALID, reason="sides_mixed_up")
    assert _feedback(standing, held=False) == "Not used after review. Reason: Left and right were mixed up."
