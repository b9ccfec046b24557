"""Sentences about passwords in Chinese, which come from Django."""

import pytest
from django.contrib.auth.password_validation import password_validators_help_texts
from django.utils.translation import override

from accounts.forms import NewPasswordForm
from tests import factories

pytestmark = pytest.mark.django_db


def test_no_sentence_about_passwords_says_the_informal_you():
    with override("zh-hans"):
        texts = [str(text) for text in password_validators_help_texts()]
    assert len(texts) == 4
    assert all("您的密码" in text and "你" not in text for text in texts), texts


def test_every_error_of_the_form_is_chinese_and_stands_at_its_own_field():
    person = factories.person()
    sent = {"old_password": "wrong", "new_password1": "12345", "new_password2": "54321"}
    with override("zh-hans"):
        found = NewPasswordForm(person, sent).errors
        errors = {field: [str(text) for text in texts] for field, texts in found.items()}
    assert [*errors] == ["old_password", "new_password2", "new_password1"]
    assert errors["old_password"] == ["密码不正确，请重新输入。"]
    assert errors["new_password2"] == ["两次输入的新密码不一致。"]
    assert "密码太短，至少需要 10 个字符。" in errors["new_password1"]
    assert not any("a" <= letter <= "z" for texts in errors.values() for text in texts for letter in text)
