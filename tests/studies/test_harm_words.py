"""One definition of each harm tag in the guideline, the consent text and at the tag."""

import re

import pytest
from django.conf import settings
from django.utils.translation import override

from studies.harms import HARMS


@pytest.mark.long
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_default_guideline_defines_each_tag_in_the_words_that_stand_at_the_tag(language):
    text = (settings.BASE_DIR / f"studies/documents/guideline.{language}.md").read_text()
    defined = dict(re.findall(r"\{#tag-(\w+)\}\n\n(.+)\n", text))
    with override(language):
        assert defined == {harm.key: str(harm.covers) for harm in HARMS}
