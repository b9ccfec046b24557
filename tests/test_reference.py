"""The reference page has everything that the OpenAPI document has, and its links lead somewhere."""

import re

from diptych.document import document


def test_the_reference_has_every_operation_and_shape(client, db):
    page = client.get("/api/").content.decode()
    operations = [node["operationId"] for methods in document()["paths"].values() for node in methods.values()]
    ids = set(re.findall(r' id="([^"]+)"', page))
    assert {*operations, *document()["components"]["schemas"]} <= ids
    assert set(re.findall(r'href="#([^"]+)"', page)) <= ids
    assert "<b>409</b> <code>changed_meanwhile</code>" in page


def test_a_choice_that_only_repeats_its_key_is_not_explained(client, db):
    page = client.get("/api/").content.decode()
    assert "`serious` - serious" not in page
    assert "* `other` - Something else (say what in the comment)" in page
