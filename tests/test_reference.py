"""The reference page has everything that the OpenAPI document has, and its links lead somewhere."""

import json
import re
import shlex
from itertools import pairwise

import pytest
from django.urls import Resolver404, resolve

from diptych import reference
from diptych.api_groups import GROUPS
from diptych.document import document as whole_document

#: Of titles: the longest in characters.
LONGEST_TITLE = 60


@pytest.fixture(scope="module")
def document():
    return whole_document()


def operations(document):
    return [node for methods in document["paths"].values() for node in methods.values()]


def test_the_reference_has_every_operation_and_shape(client, db, document):
    page = client.get("/api/").content.decode()
    ids = set(re.findall(r' id="([^"]+)"', page))
    assert {*(node["operationId"] for node in operations(document)), *document["components"]["schemas"]} <= ids
    assert set(re.findall(r'href="#([^"]+)"', page)) <= ids
    assert "<b>409</b> <code>changed_meanwhile</code>" in page


def test_a_choice_that_only_repeats_its_key_is_not_explained(client, db):
    page = client.get("/api/").content.decode()
    assert "`serious` - serious" not in page
    assert "* `other` - Something else (say what in the comment)" in page


def test_every_operation_has_a_short_title_of_its_own(document):
    """The title is the first line of the docstring of the view's method."""
    titles = [node["summary"] for node in operations(document)]
    assert len(set(titles)) == len(titles)
    assert [
        title for title in titles if not re.fullmatch(rf"[A-Z][a-z]+,? [^.:;\n]{{3,{LONGEST_TITLE - 6}}}", title)
    ] == []
    assert [title for title in titles if title.startswith(("Return ", "Have "))] == []


def test_every_operation_is_in_a_group_and_every_group_has_operations(document):
    used = {tag for node in operations(document) for tag in node["tags"]}
    assert used == {group.name for group in GROUPS} == {tag["name"] for tag in document["tags"]}
    groups, _shapes = reference.contents()
    assert [group for group, _operations in groups] == list(GROUPS)


def test_every_example_is_a_call_of_its_operation(client, db, document):
    """The shell reads each example as one call: the right method, an address of the API, and a body that is JSON."""
    page = client.get("/api/").content.decode()
    assert "http://testserver/api/v1/" in page
    groups, _shapes = reference.contents()
    for one in (one for _group, found in groups for one in found):
        command, *arguments = shlex.split("http://testserver".join(one.call).replace("\\\n", ""))
        options = dict(pairwise(arguments))
        method = "HEAD" if "--head" in arguments else options.get("-X", "GET")
        assert (command, method) == ("curl", one.method), one.key
        [address] = [argument for argument in arguments if argument.startswith("http://testserver/")]
        if "IMPORT_ID" not in address:  # an id that no example can guess
            assert leads_to_the_api(address.removeprefix("http://testserver").partition("?")[0]), one.key
        if "-d" in options:
            body = json.loads(options["-d"])
            wanted = document["components"]["schemas"][one.body].get("required", [])
            assert set(wanted) <= set(body), one.key


def leads_to_the_api(path):
    try:
        return resolve(path).view_name not in ("api:unknown", "")
    except Resolver404:
        return False
