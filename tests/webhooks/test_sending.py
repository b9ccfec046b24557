"""One request to a receiver: what it may reach, how long it lasts, and what becomes of each response."""

import os
import socket
import ssl
import time

import pytest
import trustme

from tests.webhooks.receiver import close, hang, receiving, status, trickle
from webhooks.models import LONGEST_EXCERPT
from webhooks.policy import LONGEST_ATTEMPT_S
from webhooks.sending import Outcome, post

#: Seconds, for receivers that are given up. For the others the limit of the product holds, however slow the machine is.
LIMIT_S = 0.6


def sent(address, **options):
    return post(address, {"webhook-id": "msg_1"}, b"{}", **options)


@pytest.fixture
def names(monkeypatch):
    """Return a dictionary: addresses by name, in place of a name server."""
    known, real = {}, socket.getaddrinfo

    def look_up(host, port, *arguments, **options):
        found = [real(one, port, *arguments, **options)[0] for one in known.get(host, [])]
        return found or real(host, port, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


@pytest.mark.parametrize("code", [200, 202, 204, 299])
def test_a_status_from_200_to_299_confirms(receiver, code):
    receiver.respond(status(code))
    assert sent(receiver.address()) == Outcome("", code)
    [request] = receiver.got
    assert (request.path, request.body) == ("/hooks", b"{}")
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert request.headers["webhook-id"] == "msg_1"


@pytest.mark.parametrize(("code", "problem"), [(400, "status"), (404, "status"), (410, "gone"), (500, "status")])
def test_another_status_is_a_problem_with_the_beginning_of_the_response(receiver, code, problem):
    receiver.respond(status(code, "no\0such\x1b[31m hök\n".encode() + b"x" * 100_000))
    outcome = sent(receiver.address())
    assert (outcome.problem, outcome.status) == (problem, code)
    assert outcome.excerpt.startswith("no such [31m hök\nxxx")
    assert len(outcome.excerpt) == LONGEST_EXCERPT


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_redirects_are_not_followed(receiver, code):
    receiver.respond(status(code, Location=receiver.address(path="/elsewhere")))
    assert sent(receiver.address()).problem == "redirect"
    assert [request.path for request in receiver.got] == ["/hooks"]


def test_a_huge_response_is_not_read(receiver):
    written = 0

    def huge(handler):
        nonlocal written
        handler.wfile.write(b"HTTP/1.1 500 No\r\nContent-Length: 1000000000\r\n\r\n")
        for _ in range(10_000):
            written += handler.connection.send(b"x" * 100_000)

    receiver.respond(huge)
    began = time.monotonic()
    assert sent(receiver.address()).problem == "status"
    assert time.monotonic() - began < LONGEST_ATTEMPT_S
    assert written < 20_000_000


def test_huge_headers_are_not_read(receiver):
    receiver.respond(lambda handler: handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 10_000_000))
    assert sent(receiver.address()) == Outcome("broken")


def test_a_receiver_that_hangs_is_given_up(receiver):
    receiver.respond(hang(receiver))
    began = time.monotonic()
    assert sent(receiver.address(), within_s=LIMIT_S) == Outcome("too_slow")
    assert LIMIT_S <= time.monotonic() - began < 2 * LIMIT_S


def test_a_receiver_that_sends_single_bytes_is_given_up(receiver):
    receiver.respond(trickle(receiver))
    began = time.monotonic()
    assert sent(receiver.address(), within_s=LIMIT_S) == Outcome("too_slow")
    assert LIMIT_S <= time.monotonic() - began < 2 * LIMIT_S


def test_the_status_decides_although_the_response_never_ends(receiver):
    receiver.respond(trickle(receiver, headers_first=True))
    began = time.monotonic()
    outcome = sent(receiver.address(), within_s=LIMIT_S)
    assert (outcome.problem, outcome.status) == ("", 200)
    assert time.monotonic() - began < 2 * LIMIT_S


def test_a_closed_connection_is_a_problem(receiver):
    receiver.respond(close)
    assert sent(receiver.address()) == Outcome("broken")


def test_no_receiver_is_a_problem(receiver):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert sent(f"http://127.0.0.1:{port}/") == Outcome("not_connected")


def test_text_that_is_no_response_is_a_problem(receiver):
    receiver.respond(lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n"))
    assert sent(receiver.address()) == Outcome("broken")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::ffff:127.0.0.1]", "0.0.0.0"],
)
def test_no_spelling_of_this_machine_is_reached(settings, host):
    settings.WEBHOOK_PRIVATE_NETWORKS = ["10.20.0.0/16"]
    with receiving() as receiver:
        for scheme in ("http", "https"):
            assert sent(f"{scheme}://{host}:{receiver.port}/") == Outcome("private")
        assert receiver.got == []


def test_a_name_with_one_address_that_is_not_allowed_is_not_reached(receiver, names):
    names["mixed.test"] = ["127.0.0.1", "192.168.1.1"]
    assert sent(receiver.address("mixed.test")) == Outcome("private")
    assert receiver.got == []


def test_the_checked_address_is_the_one_that_is_reached(receiver, names, monkeypatch):
    """The name is looked up once. Its second address, which would not be allowed, is never asked for."""
    asked = []
    look_up = socket.getaddrinfo

    def changing(host, *arguments, **options):
        if host == "changing.test":
            asked.append(host)
            names["changing.test"] = ["127.0.0.1"] if len(asked) == 1 else ["192.168.1.1"]
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    assert sent(receiver.address("changing.test")) == Outcome("", 204)
    assert asked == ["changing.test"]
    assert receiver.got[0].headers["host"] == f"changing.test:{receiver.port}"


def test_the_next_address_is_tried(receiver, names):
    names["two.test"] = ["127.0.0.9", "127.0.0.1"]
    assert sent(receiver.address("two.test")) == Outcome("", 204)


def test_a_name_without_an_address_is_a_problem(receiver):
    assert sent("https://no-such-host.invalid/") == Outcome("no_name")


def test_a_name_server_that_hangs_is_given_up(receiver, monkeypatch):
    def hangs(*_arguments, **_options):
        time.sleep(2 * LIMIT_S)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    began = time.monotonic()
    assert sent("https://slow.test/", within_s=LIMIT_S) == Outcome("too_slow")
    assert time.monotonic() - began < 2 * LIMIT_S


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def secure(settings, authority, names, monkeypatch, tmp_path):
    """Return a receiver with a certificate for receiver.test, whose authority this process trusts."""
    settings.WEBHOOK_PRIVATE_NETWORKS = ["127.0.0.0/8"]
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setitem(os.environ, "SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    names["receiver.test"] = names["other.test"] = ["127.0.0.1"]
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("receiver.test").configure_cert(context)
    with receiving(context) as receiver:
        yield receiver


def test_the_certificate_is_that_of_the_name(secure):
    assert sent(secure.address("receiver.test")) == Outcome("", 204)
    assert secure.got[0].headers["host"] == f"receiver.test:{secure.port}"
    assert sent(secure.address("other.test")) == Outcome("tls")
    assert sent(secure.address("127.0.0.1")) == Outcome("tls")


@pytest.mark.long
def test_a_certificate_of_an_unknown_authority_is_refused(secure, monkeypatch):
    monkeypatch.delitem(os.environ, "SSL_CERT_FILE")
    assert sent(secure.address("receiver.test")) == Outcome("tls")


@pytest.mark.long
def test_a_receiver_without_tls_is_a_problem(receiver):
    assert sent(f"https://127.0.0.1:{receiver.port}/") == Outcome("tls")
