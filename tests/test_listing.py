"""Words in a list have the comma of the reader's language."""

from django.utils import translation

from diptych.listing import listed


def test_chinese_has_a_comma_of_its_own_for_lists():
    assert listed(["Ties", 2]) == "Ties, 2"
    with translation.override("zh-hans"):
        assert listed(["自相矛盾", "观看过少"]) == "自相矛盾、观看过少"
