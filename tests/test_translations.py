"""Every sentence of the product has its Chinese, and the compiled file equals the readable one.

After a change of words, with GNU gettext installed:

    .venv/bin/python manage.py makemessages -l zh_Hans -i .venv -i node_modules --no-wrap --add-location=file
    (translate in locale/zh_Hans/LC_MESSAGES/django.po)
    .venv/bin/python manage.py compilemessages -l zh_Hans -l en --ignore .venv
"""

import ast
import gettext
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.translation.template import templatize

from diptych import sentences as wording
from tests import factories
from tests.layout import PRODUCT

ROOT = Path(settings.BASE_DIR)
FOLDER = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES"
ENGLISH = ROOT / "locale" / "en" / "LC_MESSAGES"
#: Functions whose first arguments are sentences, and the number of those arguments.
MARKS = {"_": 1, "gettext": 1, "gettext_lazy": 1, "gettext_noop": 1, "ngettext": 2, "ngettext_lazy": 2}
PLACEHOLDER = re.compile(r"%\(\w+\)s|%%|\{\w+\}|<[^>]+>")


@dataclass
class Entry:
    """One entry of a .po file: `msgid`, `msgid_plural`, `msgstr` or `msgstr[0]`, and its flags."""

    words: dict[str, str] = field(default_factory=dict)
    flags: str = ""

    @property
    def sentence(self) -> str:
        return self.words.get("msgid", "")

    @property
    def chinese(self) -> str:
        return self.words.get("msgstr[0]", self.words.get("msgstr", ""))


def entries(folder: Path = FOLDER) -> list[Entry]:
    """Return the entries of the folder's .po file, without its header and its comments."""
    found = []
    for block in (folder / "django.po").read_text().split("\n\n"):
        entry, keyword = Entry(), ""
        for line in block.splitlines():
            if line.startswith("#,"):
                entry.flags += line
            elif line and not line.startswith("#"):
                start, quoted = line[: line.index('"')].strip(), line[line.index('"') :]
                keyword = start or keyword
                entry.words[keyword] = entry.words.get(keyword, "") + ast.literal_eval(quoted)
        if entry.sentence:
            found.append(entry)
    return found


def sentences(code: str) -> Iterator[str]:
    """Yield the msgids that Python code uses."""
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for argument in node.args[: MARKS.get(name, 0)]:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value


def sentences_of_template(source: str) -> Iterator[str]:
    """Return the msgids of a template, from the calls that Django would show to xgettext."""
    for call in re.findall(r"\bn?gettext\(.*?\) |\b_\(.*?\) ", templatize(source)):
        yield from sentences(call.strip())


def asked_for() -> dict[str, str]:
    """Return every msgid with a file that uses it."""
    found = {}
    for package in PRODUCT:
        for path in (ROOT / package).rglob("*.py"):
            found |= dict.fromkeys(sentences(path.read_text()), str(path.relative_to(ROOT)))
    for path in (ROOT / "templates").rglob("*.html"):
        found |= dict.fromkeys(sentences_of_template(path.read_text()), str(path.relative_to(ROOT)))
    return found


def test_every_sentence_of_the_product_is_in_chinese():
    known = {sentence for entry in entries() for sentence in (entry.sentence, entry.words.get("msgid_plural"))}
    lacking = {sentence: path for sentence, path in asked_for().items() if sentence not in known}
    assert lacking == {}, f"Not in {FOLDER}/django.po; see the head of this file."


def test_the_extraction_reads_python_and_templates():
    assert list(sentences('_("one " "two"); ngettext("a", "b", 3); print("no")')) == ["one two", "a", "b"]
    counted = "{% blocktrans count n=n %}{{ n }} a{% plural %}{{ n }} b{% endblocktrans %}"
    assert list(sentences_of_template('{% trans "it\'s {n} %" %}' + counted)) == ["it's {n} %%", "%(n)s a", "%(n)s b"]


def test_no_translation_is_empty_or_fuzzy():
    assert [entry.sentence for entry in entries() if not entry.chinese or "fuzzy" in entry.flags] == []


def test_placeholders_and_markup_are_the_same_in_chinese():
    def marks(text):
        return sorted(PLACEHOLDER.findall(text))

    assert [entry.sentence for entry in entries() if marks(entry.sentence) != marks(entry.chinese)] == []


def test_the_compiled_file_says_what_the_readable_one_says():
    with (FOLDER / "django.mo").open("rb") as compiled:
        catalog = gettext.GNUTranslations(compiled)
    for entry in entries():
        if "msgid_plural" in entry.words:
            said = catalog.ngettext(entry.sentence, entry.words["msgid_plural"], 2)
        elif "msgctxt" in entry.words:
            said = catalog.pgettext(entry.words["msgctxt"], entry.sentence)
        else:
            said = catalog.gettext(entry.sentence)
        assert said == entry.chinese, "django.mo is older than django.po; see the head of this file."
    count = sum(1 for sentence in catalog._catalog if sentence)
    assert count == len(entries())


def test_djangos_sentences_are_reworded_in_english():
    """The English file holds only sentences that accounts/django_words.py names, and each of them is used."""
    ours = set(sentences((ROOT / "accounts" / "django_words.py").read_text()))
    found = entries(ENGLISH)
    assert [entry.sentence for entry in found if entry.sentence not in ours] == []
    with translation.override("en"):
        for entry in found:
            many = entry.words.get("msgid_plural")
            said = translation.ngettext(entry.sentence, many, 1) if many else translation.gettext(entry.sentence)
            assert said == entry.chinese, "locale/en/LC_MESSAGES/django.mo is older than django.po."
    with translation.override("zh-hans"):
        assert "数" in translation.gettext("Ensure this value is less than or equal to %(limit_value)s.")


def test_a_chinese_browser_gets_chinese():
    for code in ("zh-hans", "zh-cn"):
        with translation.override(translation.get_supported_language_variant(code)):
            assert translation.gettext("Submit") == "提交"


@pytest.mark.django_db
class TestChoosingALanguage:
    def choose(self, client, language="zh-hans", **fields):
        return client.post(reverse("accounts:language"), {"language": language} | fields)

    def test_the_language_is_saved_for_the_person_and_the_page_returns(self, browser_client):
        person = factories.person()
        response = self.choose(browser_client(person), next="/accounts/password/")
        assert (response.status_code, response.url) == (302, "/accounts/password/")
        person.refresh_from_db()
        assert person.locale == "zh-hans"

    def test_without_sign_in_the_language_is_kept_in_the_browser(self):
        client = Client()
        self.choose(client)
        page = client.get(reverse("accounts:sign_in")).content.decode()
        assert '<html lang="zh-Hans">' in page
        assert "登录" in page

    def test_signing_in_brings_the_persons_language_to_the_browser(self):
        person = factories.person(locale="zh-hans")
        client = Client()
        client.post(reverse("accounts:sign_in"), {"username": person.username, "password": "a password of its own"})
        assert "此网址不存在" in client.get("/nowhere").content.decode()

    def test_the_language_switch_never_redirects_to_another_site(self):
        for address in ("https://example.org/", "//example.org", "javascript:alert(1)", ""):
            assert self.choose(Client(), next=address).url == "/"

    def test_an_unknown_language_changes_nothing(self, browser_client):
        person = factories.person()
        client = browser_client(person)
        self.choose(client, language="tlh")
        person.refresh_from_db()
        assert person.locale == ""
        assert settings.LANGUAGE_COOKIE_NAME not in client.cookies

    def test_the_language_changes_only_by_post(self):
        assert Client().get(reverse("accounts:language")).status_code == 405


#: The end of a sentence or a label, tags that may follow it, and a plain space before something that is shown.
PLAIN_SPACE = re.compile(
    r"""(?:[.:?…!]["']\s*%\}|[.:?…]\{% endblocktrans %\})"""
    r"""(?:\{% (?:end)?(?:if|with|else|elif)[^%]*%\}|</(?:b|strong|a|span)>)*"""
    r"""[ ](?=\{% (?:if|else|elif|with|trans|blocktrans|include|for)|\{\{|<(?:a|b|bdi|i|kbd|span|code|strong|time)\b)"""
)
#: Templates in which the two texts are not read as one.
NOT_JOINED = {"accounts/_menu.html"}


def test_templates_write_no_plain_space_between_two_sentences():
    """In Chinese there is no space after 。 and ：, so templates use `{% space %}`."""
    folder = ROOT / "templates"
    found = [
        f"{path.relative_to(folder)}: {match[0]}"
        for path in sorted(folder.rglob("*.html"))
        if str(path.relative_to(folder)) not in NOT_JOINED
        for match in PLAIN_SPACE.finditer(path.read_text())
    ]
    assert found == []


def test_sentences_are_joined_as_the_language_does_it():
    page = Template('{% load i18n %}{% trans "None." %}{% space %}{% trans "None." %}')
    with translation.override("en"):
        assert wording.joined(["One.", "Two."]) == "One. Two."
        assert page.render(Context()) == "None. None."
    with translation.override("zh-hans"):
        assert wording.joined(["一。", "二。"]) == "一。二。"
        assert " " not in page.render(Context())
