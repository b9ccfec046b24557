"""Sentences about passwords in Chinese, which come from Django."""

from django.contrib.auth.password_validation import password_validators_help_texts
from django.utils.translation import override


def test_no_sentence_about_passwords_says_the_informal_you():
    with override("zh-hans"):
        texts = [str(text) for text in password_validators_help_texts()]
    assert len(texts) == 4
    assert all("您的密码" in text and "你" not in text for text in texts), texts
