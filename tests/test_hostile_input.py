"""Bad input of every kind, sent to every address by every kind of person, is refused or ignored. It is never a 500.

The addresses come from the URL configuration. The names of fields come from the forms, the serializers and the code of
the views, so a new field is tested automatically.

The ordinary tests send the values that once caused errors. The long tests send everything else that can be sent.
"""

import inspect
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django import forms
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import get_resolver, resolve, reverse
from rest_framework import serializers

from accounts.forms import SignInForm
from diptych.document import document
from tests.documented import undocumented
from tests.permission_rows import ALLOWED, MATRIX, PEOPLE
from tests.request_bodies import BODIES
from tests.test_permissions import says_no_worker_runs
from tests.world import World, Worlds, built, endpoints, worlds

__all__ = ["built", "worlds"]

pytestmark = pytest.mark.django_db

#: What a client can send, as bytes of an address: escapes of NUL, half a UTF-8 character, half a surrogate pair, …
IN_ADDRESSES = {
    "nul": "%00",
    "line end": "%0d%0aX-Evil:%201",
    "escape": "%1b",
    "not UTF-8": "%ff%fe",
    "half a pair": "%ed%a0%80",
    "long": "x" * 10_000,
    "digits": "9" * 5_000,
    "beyond bigint": "9" * 30,
    "negative": "-1",
    "NaN": "NaN",
    "infinity": "-Infinity",
    "date": "0001-01-01T00:00:00%2B23:59~1",
    "late date": "9999-12-31T23:59:59-23:59~" + "9" * 30,
    "empty": "",
    "other digits": "%C2%B2%D9%A1",
    "path": "..%2F..%2Fetc",
    "address": "%2F%2F[::1",
}
VALUES = {
    "nul": "a\0b",
    "escape": "\x1b[31m",
    "half a pair": "\ud800",
    "long": "x" * 10_000,
    "digits": "9" * 5_000,
    "beyond bigint": "9" * 30,
    "NaN": "NaN",
    "infinity": "-Infinity",
    "empty": "",
    "lines": "a\r\nb",
    "JSON": '{"a": [1, {"b": NaN}]}',
    "address": "//[::1",
}
BODIES_OF_JSON = {
    "not JSON": b"{",
    "not UTF-8": b'{"a": "\xff"}',
    "half a pair": b'{"reason": "\\ud800"}',
    "nul": b'{"reason": "\\u0000"}',
    "NaN": b'{"version": NaN}',
    "list": b"[1]",
    "scalar": b"1",
    "deep": b'{"a":' * 500 + b"1" + b"}" * 500,
    "huge number": b'{"version": 1e400}',
    "huge integer": b'{"version": ' + b"9" * 400 + b"}",
    "empty": b"",
    "null": b"null",
}
#: The kind of value that the ordinary tests send to every address in the query, in a form or as a body, in all fields
#: at once. NUL and half a pair are refused before any view, whatever the field; a test of their own sends them.
WORST_IN_ADDRESSES, WORST_IN_FORMS, WORST_BODY = "NaN", "digits", "not JSON"


def everywhere(names: Iterable[str]) -> pytest.MarkDecorator:
    """Visit all addresses with the worst values. In the long tests, visit each address with all values."""
    each = [pytest.param([name], False, marks=pytest.mark.long, id=name) for name in names]
    return pytest.mark.parametrize(("names", "worst"), [pytest.param(list(names), True, id="the worst"), *each])


def chosen(values: dict[str, Any], worst: str) -> dict[str, Any]:
    """Return the values that are sent, by their kind: all, or only the worst one."""
    return {worst: values[worst]} if worst else values


SHAPES: list[Any] = [None, 1, -1, 2**53 - 1, 1.5, True, "", "x" * 10_000, "\x1b", [], [[]], {}, {"": {"": []}}]
WORST_SHAPES: list[Any] = [[[]]]


def subclasses(kind: type) -> set[type]:
    return {kind}.union(*(subclasses(one) for one in kind.__subclasses__()))


def names_of_forms() -> set[str]:
    return {name for form in subclasses(forms.BaseForm) for name in getattr(form, "base_fields", {})}


def names_of_bodies() -> set[str]:
    kinds = subclasses(serializers.Serializer)
    return {name for kind in kinds for name in getattr(kind, "_declared_fields", {})}


def names_in(name: str, address: str) -> set[str]:
    """Return the parameters that the module of a view reads."""
    function = resolve(address.split("?")[0]).func
    module = inspect.getmodule(inspect.unwrap(getattr(function, "view_class", function)))
    source = inspect.getsource(module)
    return {"page", *re.findall(r"""(?:GET|POST|query)(?:\.get|\.getlist)?[(\[]"(\w+)""", source)}


class Walk:
    """A client that sends requests, each from the same state of the database, and records those that were errors of
    ours.
    """

    def __init__(self, worlds: Worlds) -> None:
        self.worlds = worlds
        self.failed: list[str] = []
        self.made: dict[tuple[World, str], Client] = {}
        self.go_to("home")

    def go_to(self, name: str) -> None:
        """Send the next requests in the world of this endpoint."""
        self.world = self.worlds.of(name)

    def client(self, who: str) -> Client:
        """Return the client of a person of this world."""
        if (self.world, who) not in self.made:
            client = self.made[self.world, who] = Client(raise_request_exception=False)
            if who in self.world.sessions:
                client.cookies[settings.SESSION_COOKIE_NAME] = self.world.sessions[who]
        return self.made[self.world, who]

    def each(self, names: Iterable[str]) -> Iterator[str]:
        """Yield each name with a fresh database: what its address needs is removed before the next one."""
        for name in names:
            self.go_to(name)
            with transaction.atomic():
                yield name
                transaction.set_rollback(True)

    def send(self, who: str, method: str, address: str, note: str, **values: Any) -> Any:
        with transaction.atomic():
            response = self.client(who).generic(method, address, **values)
            transaction.set_rollback(True)
        if response.status_code >= 500 and not says_no_worker_runs(response):
            self.failed.append(f"{who} {method} {address[:120]} ({note}): {response.status_code}")
        elif wrong := undocumented(response, method):
            self.failed.append(wrong)
        return response


@pytest.fixture
def walk(worlds: Worlds) -> Walk:
    return Walk(worlds)


def allowed_person(name: str) -> str:
    if name == "api:unknown":
        return "annotator"
    return next((who for who in PEOPLE if MATRIX[name][1][who] == ALLOWED), "researcher")


@everywhere(MATRIX)
def test_no_query_string_is_an_error_of_ours(walk, names, worst):
    for name in walk.each(names):
        who = allowed_person(name)
        address = walk.world.address(name, walk.world.people[who])
        separator = "&" if "?" in address else "?"
        names = names_in(name, address)
        everything = sorted(names | names_of_forms())
        for note, value in chosen(IN_ADDRESSES, worst and WORST_IN_ADDRESSES).items():
            if len(value) < 100:
                query = "&".join(f"{field}={value}" for field in everything)
                walk.send(who, "GET", f"{address}{separator}{query}", note)
            if len(value) < 100 and not worst:
                walk.send(who, "GET", f"{address}{separator}{value}={value}", note)
            for field in [] if worst else sorted(names):
                walk.send(who, "GET", f"{address}{separator}{field}={value}&{field}={value}", f"{note} in {field}")
    assert walk.failed == []


@everywhere([name for name in MATRIX if not name.startswith("api:")])
def test_no_form_is_an_error_of_ours(walk, names, worst):
    for name in walk.each(names):
        who = allowed_person(name)
        address = walk.world.address(name, walk.world.people[who])
        good = BODIES.get(name, dict)()
        names = names_in(name, address) | set(good)
        for note, value in chosen(VALUES, worst and WORST_IN_FORMS).items():
            everything = dict.fromkeys(names if worst else names | names_of_forms(), value)
            alone = [] if worst else sorted(names)
            for body in [everything, *({**good, field: value} for field in alone)]:
                sent = "&".join(f"{field}={escaped(text)}" for field, text in body.items())
                walk.send(who, "POST", address, note, data=sent, content_type="application/x-www-form-urlencoded")
        kinds = {"multipart/form-data": b"x", "multipart/form-data; boundary=b": b"--b\r\n", "text/x": b"x"}
        for kind, data in {} if worst else kinds.items():
            walk.send(who, "POST", address, kind, data=data, content_type=kind)
    assert walk.failed == []


def escaped(value: Any) -> str:
    return quote(str(value).encode("utf-8", "surrogatepass"))


@everywhere([name for name in MATRIX if name.startswith("api:")])
def test_no_body_is_an_error_of_ours(walk, names, worst):
    for name in walk.each(names):
        who = allowed_person(name)
        address = walk.world.address(name, walk.world.people[who])
        good = BODIES.get(name, dict)()
        kinds = ["", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded", "x" * 300, "a/b;=\x00"]
        own = MATRIX[name][0].upper()
        for method in (own,) if worst else ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"):
            for note, body in chosen(BODIES_OF_JSON, worst and WORST_BODY).items():
                walk.send(who, method, address, note, data=body, content_type="application/json")
            for kind in () if worst else kinds:
                walk.send(who, method, address, f"as {kind[:40]}", data=b"a=%00", content_type=kind)
        for value in WORST_SHAPES if worst else SHAPES:
            whole = json.dumps(dict.fromkeys(names_of_bodies(), value))
            walk.send(who, own, address, "everything", data=whole, content_type="application/json")
            for field in () if worst else good:
                body = json.dumps({**good, field: value})
                walk.send(who, own, address, f"{value!r:.40} in {field}", data=body, content_type="application/json")
                if isinstance(good[field], dict):
                    for inner in good[field]:
                        body = json.dumps({**good, field: {**good[field], inner: value}})
                        walk.send(who, own, address, f"{field}.{inner}", data=body, content_type="application/json")
    assert walk.failed == []


HEADERS = {
    "HTTP_COOKIE": ['sessionid="\\000"', "sessionid=" + "x" * 10_000, 'csrftoken="\\000"', 'django_language="\\000"'],
    "HTTP_AUTHORIZATION": ["Token \xff", "Token \x00", "Token " + "a" * 10_000, "Token", "Token a b", "Bearer x"],
    "HTTP_ACCEPT_LANGUAGE": ["x" * 10_000, "zh-" * 500, "\x00", "*;q=nan"],
    "HTTP_X_DIPTYCH_PERSON": ["\x00", "\xff", "9" * 5_000],
    "HTTP_RANGE": ["bytes=" + "9" * 5_000 + "-", "bytes=nan-", "\x00", "bytes=-0"],
    "HTTP_IF_RANGE": ["\x00", "Sun, 99 Foo 99999 99:99:99 GMT", '"\xff"'],
    "HTTP_IF_MODIFIED_SINCE": ["Sun, 06 Nov 0000 08:49:37 GMT", "x" * 10_000],
    "HTTP_IF_NONE_MATCH": ["\x00", '"' * 1_000],
    "HTTP_HOST": ["\x00", "a b", "x" * 1_000],
    "HTTP_USER_AGENT": ["\x00", "x" * 10_000],
    "HTTP_X_FORWARDED_FOR": ["\x00", "::ffff:" * 100],
    "HTTP_REFERER": ["//[::1", "\x00"],
    "HTTP_ACCEPT": ["\x00", "a/b;q=nan", "/", "x" * 10_000],
    "HTTP_UPLOAD_METADATA": ["filename AA==", "filename /w==", "filename 7aCA", "\x00", "filename " + "YQ" * 5_000],
    "HTTP_UPLOAD_LENGTH": ["9" * 5_000, "-1", "NaN", "²", "1" * 16],
    "HTTP_UPLOAD_OFFSET": ["9" * 5_000, "-1", "NaN"],
    "HTTP_TUS_RESUMABLE": ["\x00"],
}


@pytest.mark.long
@pytest.mark.parametrize("name", MATRIX)
def test_no_header_is_an_error_of_ours(walk, name):
    who = allowed_person(name)
    walk.go_to(name)
    address = walk.world.address(name, walk.world.people[who])
    method = MATRIX[name][0].upper()
    for header, values in HEADERS.items():
        for value in values:
            extra = {header: value}
            if header.startswith("HTTP_UPLOAD") and header != "HTTP_UPLOAD_LENGTH":
                extra.setdefault("HTTP_UPLOAD_LENGTH", "1")
            data = json.dumps(BODIES.get(name, dict)()) if name.startswith("api:") else ""
            walk.send(who, method, address, header, data=data, content_type="application/json", **extra)
    assert walk.failed == []


#: Values that no row has. The ordinary tests put the first one into each address.
NOWHERE = ("9" * 30, "%00", "%E4%B8%80", "9" * 5_000, "%ff", "x" * 10_000, "%0a")


@pytest.mark.parametrize("who", [None, *(pytest.param(one, marks=pytest.mark.long) for one in PEOPLE)])
def test_no_address_is_an_error_of_ours(walk, who):
    """Send each changed address as somebody who may open the right one. In the long tests, send it as everybody."""
    for name, parameters in endpoints(get_resolver()):
        person = who or allowed_person(name)
        walk.go_to(name)
        with transaction.atomic():  # the database is the same for each address
            for address in changed_addresses(walk, name, person, NOWHERE if who else NOWHERE[:1]) if parameters else []:
                walk.send(person, MATRIX[name][0].upper(), address, name)
            transaction.set_rollback(True)
    assert walk.failed == []


def changed_addresses(walk: Walk, name: str, who: str, values: Iterable[str]) -> list[str]:
    """Return the endpoint's address with each value in it replaced by each of `values`."""
    parts = walk.world.address(name, walk.world.people[who]).split("?")[0].split("/")
    return [
        "/".join([*parts[:place], value, *parts[place + 1 :]])
        for place, part in enumerate(parts)
        if part.isdigit() or len(part) == 64 or part == walk.world.study.slug
        for value in values
    ]


def test_a_refused_query_string_names_the_field(walk):
    response = walk.send("researcher", "GET", f"/studies/{walk.world.study.slug}/library/?q=a%00b", "nul")
    assert response.status_code == 400
    assert "“q”" in response.content.decode()


@pytest.mark.parametrize("field", ["after", "before", "q", "pair", "sort", "page"])
def test_a_control_character_in_a_list_is_refused(walk, field):
    address = f"/studies/{walk.world.study.slug}/library/pairs/?{field}=%00"
    assert walk.send("researcher", "GET", address, field).status_code == 400


def test_a_form_with_lines_and_tabs_is_taken_and_one_with_nul_is_not(walk):
    address = f"/studies/{walk.world.study.slug}/guideline/preview/"
    kind = "application/x-www-form-urlencoded"
    good = walk.send("researcher", "POST", address, "lines", data="language=en&text=a%09b%0D%0Ac", content_type=kind)
    bad = walk.send("researcher", "POST", address, "nul", data="language=en&text=a%00", content_type=kind)
    assert (good.status_code, bad.status_code) == (200, 400)
    assert "“text”" in bad.content.decode()


def test_a_name_of_9000_characters_does_not_sign_in(walk):
    body = f"username={'x' * 9_000}&password=y"
    kind = "application/x-www-form-urlencoded"
    for name in ("accounts:sign_in", "accounts:sign_in_in_place"):
        response = walk.send("anonymous", "POST", reverse(name), "long", data=body, content_type=kind)
        assert response.status_code in {200, 400}
    assert "username" in SignInForm(data={"username": "x" * 151, "password": "y"}).errors


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"])
def test_a_form_that_is_too_long_is_refused_before_it_is_read(walk, kind):
    for length in (None, "x", "-1", "9" * 5_000):
        extra = {} if length is None else {"CONTENT_LENGTH": length}
        body = b"username=" + b"x" * 3_000_000
        response = walk.send(
            "anonymous", "POST", reverse("accounts:sign_in"), kind, data=body, content_type=kind, **extra
        )
        assert response.status_code == 400


@pytest.mark.parametrize("following", ["NaN", "accounts", "//example.org/", "https://example.org/", "\\\\example.org"])
def test_the_language_switch_leads_to_addresses_of_ours_only(walk, following):
    body = f"language=en&next={quote(following)}"
    kind = "application/x-www-form-urlencoded"
    response = walk.send("anonymous", "POST", reverse("accounts:language"), following, data=body, content_type=kind)
    assert (response.status_code, response.url) == (302, "/")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("address", ["/api/v1/nowhere/", "/api/v1/studies", "/api/v2/studies/", "/api/nowhere"])
@pytest.mark.parametrize("who", ["annotator", "anonymous"])
def test_a_wrong_address_of_the_api_is_not_found_in_json(walk, who, address, method):
    walk.client(who).handler.enforce_csrf_checks = True
    response = walk.send(who, method, address, "nowhere")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_another_method_is_refused_in_json(walk):
    response = walk.send("annotator", "DELETE", f"/api/v1/studies/{walk.world.study.slug}/", "method")
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize("name", [name for name in MATRIX if name.startswith("api:") and name != "api:unknown"])
def test_unknown_query_parameters_are_refused_by_name(walk, name):
    who = allowed_person(name)
    walk.go_to(name)
    address = walk.world.address(name, walk.world.people[who])
    for method in {MATRIX[name][0].upper(), "GET"} - ({"GET"} if MATRIX[name][0] == "head" else set()):
        body = json.dumps(BODIES.get(name, dict)())
        response = walk.send(
            who, method, f"{address}?nosuch=1&x=2", "unknown", data=body, content_type="application/json"
        )
        assert response.status_code == 400
        if method != "HEAD":
            assert response.json()["code"] == "unknown_parameter"
            assert "“nosuch”, “x”" in response.json()["detail"]


def test_the_version_of_the_document_is_no_parameter(walk):
    assert walk.send("anonymous", "GET", "/api/v1/schema/?version=%0a", "version").status_code == 400
    assert walk.send("anonymous", "GET", "/api/v1/schema/?version=1", "version").json()["code"] == "unknown_parameter"
    assert walk.send("anonymous", "GET", "/api/v1/schema/?format=json", "format").json()["openapi"].startswith("3.")
    assert walk.send("anonymous", "GET", "/api/v1/schema/?format=xml", "format").json()["code"] == "invalid"


def test_the_document_lists_declared_parameters_and_every_refusal():
    paths = document()["paths"]
    guideline = paths["/api/v1/studies/{slug}/guideline/"]["get"]
    declared = {parameter["name"] for parameter in guideline["parameters"] if parameter["in"] == "query"}
    assert declared == {"language", "version"}
    submit = paths["/api/v1/assignments/{assignment_id}/submit/"]["post"]["responses"]
    assert {"400", "401", "403", "404", "406", "409", "411", "413", "415"} <= set(submit)
