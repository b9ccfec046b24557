"""Send requests to a Diptych server, again where that is safe, and turn its refusals into sentences."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_before_delay, wait_random_exponential

from diptych_client import __version__
from diptych_client.errors import ClientError

API = "/api/v1/"
#: In every response of the API: who is signed in.
PERSON_HEADER = "X-Diptych-Person"
#: In a response to a token that expires soon: when.
EXPIRES_HEADER = "Diptych-Token-Expires"
#: Seconds until a connection must stand, and between two parts of a response.
CONNECT_S, RESPOND_S = 10.0, 60.0
#: Seconds after which a request is not repeated any more.
PATIENCE_S = 60.0
#: The server, or what is in front of it, cannot respond now. After the first two it has done nothing.
BUSY, AWAY = frozenset({429, 503}), frozenset({502, 504})
#: Methods whose requests can be repeated without a second effect.
REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
#: The waits between two requests, where the server does not say how long to wait.
GROWING_WAIT = wait_random_exponential(multiplier=0.5, max=10)

Result = TypeVar("Result")


class Passing(Exception):
    """A failure that may end by itself. `error` is what to say if it does not."""

    def __init__(self, error: ClientError, after_s: float | None = None) -> None:
        super().__init__(str(error))
        self.error, self.after_s = error, after_s


def server_address(given: str) -> str:
    """Return the address of a server without what follows its host and path. Raise ClientError if it is none."""
    try:
        parts = urlsplit(given.strip())
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not match, a port that is no number
        is_one = False
    if not is_one:
        sentence = f"{given} is not the address of a server. Give one such as https://diptych.example.org."
        raise ClientError(sentence, "usage")
    host, path = parts.netloc.rpartition("@")[2], parts.path.partition("/api")[0].rstrip("/")
    return f"{parts.scheme}://{host}{path}"


class Connection:
    """A server, and the token with which it is asked.

    `patience_s` is for how long a request is repeated while the server is busy or cannot be reached.
    """

    def __init__(self, server: str, token: str, *, patience_s: float = PATIENCE_S) -> None:
        self.server, self.patience_s = server_address(server), patience_s
        self._headers = {"Accept-Language": "en", "User-Agent": f"diptych-client/{__version__}"}
        authorization = {"Authorization": f"Token {token}"} if token else {}
        timeout = httpx2.Timeout(RESPOND_S, connect=CONNECT_S)
        self._http = httpx2.Client(headers=self._headers | authorization, timeout=timeout)
        #: For addresses outside of the server, which must not see the token.
        self._elsewhere = httpx2.Client(headers=self._headers, timeout=timeout)
        self._has_responded = False
        #: When the token expires, in ISO 8601, if that is soon; empty otherwise.
        self.token_expires = ""

    def close(self) -> None:
        """Close all connections."""
        self._http.close()
        self._elsewhere.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        is_repeatable: bool = False,
    ) -> httpx2.Response:
        """Send a request to a path below `/api/v1/`, and return the response. Raise ClientError for a refusal.

        A request that a busy server refused is repeated. One that broke is repeated if its method allows it, or if it
        `is_repeatable`, which means that its second effect would be the same.
        """
        repeatable = is_repeatable or method in REPEATABLE

        def once() -> httpx2.Response:
            with self._faults(repeatable):
                response = self._http.request(method, self.server + API + path, json=body, params=query)
                self._refuse(response, repeatable)
                if PERSON_HEADER not in response.headers:
                    raise ClientError(_about_other_response(self.server, response), "no_diptych")
                return response

        return self.repeat(once)

    def upload(self, path: str, file: Path, *, query: Mapping[str, Any]) -> httpx2.Response:
        """Send a file with PUT to a path below `/api/v1/`, and return the response. It is repeated as `request` is.

        Raise ClientError and OSError.
        """
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(file.stat().st_size)}

        def once() -> httpx2.Response:
            with self._faults(True), file.open("rb") as opened:
                address = self.server + API + path
                response = self._http.put(address, content=opened, params=query, headers=headers)
                self._refuse(response, True)
                return response

        return self.repeat(once)

    def repeat(self, once: Callable[[], Result]) -> Result:
        """Call a function until it does not raise Passing. Raise the ClientError in it when the patience ends."""
        stop = stop_before_delay(self.patience_s)
        again = Retrying(retry=retry_if_exception_type(Passing), wait=_wait_s, stop=stop, reraise=True)
        try:
            return again(once)
        except Passing as passing:
            raise passing.error from None

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str]) -> Iterator[httpx2.Response]:
        """Send GET and yield the response, whose body is not read yet. Raise ClientError and Passing.

        If the server leads to a bucket, the response is that of the bucket, which gets neither the token nor If-Range:
        it names its files by other tags.
        """
        sent = {"Accept-Encoding": "identity", **headers}
        with self._faults(True):
            with self._http.stream("GET", self.server + API + path, headers=sent) as response:
                leads_to = response.headers.get("Location", "") if response.status_code == 302 else ""
                if not leads_to:
                    self._refuse(response, True)
                    yield response
                    return
            sent.pop("If-Range", None)
            with self._elsewhere.stream("GET", response.url.join(leads_to), headers=sent) as response:
                self._refuse(response, True)
                yield response

    @contextmanager
    def _faults(self, repeatable: bool) -> Iterator[None]:
        """Turn the faults of connections into ClientError, or into Passing if the request can be repeated."""
        try:
            yield
        except httpx2.TransportError as fault:
            error = ClientError(_about_fault(self.server, fault), "unreachable")
            never_sent = isinstance(fault, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout)
            # A server that never responded may have another address: say so at once.
            if self._has_responded and (repeatable or never_sent):
                raise Passing(error) from fault
            raise error from fault

    def _refuse(self, response: httpx2.Response, repeatable: bool) -> None:
        """Raise ClientError, or Passing, unless the response is what was asked for."""
        self._has_responded = True
        self.token_expires = response.headers.get(EXPIRES_HEADER, self.token_expires)
        status = response.status_code
        if status < 300 or status == 416:
            return
        response.read()
        error = _refusal(self.server, response)
        if status in BUSY or (status in AWAY and repeatable):
            raise Passing(error, _retry_after_s(response))
        raise error


def _wait_s(state: RetryCallState) -> float:
    """Return the seconds until the next request: what the server asked for, else a growing time."""
    raised = state.outcome and state.outcome.exception()
    asked = raised.after_s if isinstance(raised, Passing) else None
    return GROWING_WAIT(state) if asked is None else asked


def _retry_after_s(response: httpx2.Response) -> float | None:
    given = response.headers.get("Retry-After", "")
    return float(given) if given.isascii() and given.isdigit() else None


def _about_fault(server: str, fault: httpx2.TransportError) -> str:
    if isinstance(fault, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.UnsupportedProtocol):
        why = str(fault) or f"no connection within {CONNECT_S:g} seconds"
        return f"The server {server} cannot be reached ({why}). Check its address and your network."
    if isinstance(fault, httpx2.TimeoutException):
        return f"The server {server} did not respond within {RESPOND_S:g} seconds. Try again later."
    return f"The connection to {server} broke ({fault}). Try again."


def _refusal(server: str, response: httpx2.Response) -> ClientError:
    """Return what to say about a response with an error status."""
    status = response.status_code
    try:
        said = response.json()
        sentence, code = str(said["detail"]), str(said["code"])
    except (ValueError, TypeError, KeyError):
        return ClientError(_about_other_response(server, response), "no_diptych", status=status)
    fields = said.get("fields") or {}
    if status == 401:
        sentence = f"The server {server} does not accept the token ({sentence}) Sign in again: diptych sign-in {server}"
    if fields:
        sentence = " ".join([sentence, *_of_fields(fields)])
    if after_s := _retry_after_s(response):
        sentence = f"{sentence} The server asks to try again in {after_s:g} seconds."
    return ClientError(sentence, code, status=status, fields=fields)


def _about_other_response(server: str, response: httpx2.Response) -> str:
    status = response.status_code
    if leads_to := response.headers.get("Location"):
        return f"{server} leads to {response.url.join(leads_to)}. Use the address of that server."
    if status in BUSY | AWAY:
        return f"The server {server} cannot respond now (status {status}). Try again later."
    if status == 507:
        return f"The disk of the server {server} is full. Tell its operator."
    if status >= 500:
        return (
            f"The server {server} failed (status {status}). Try again later, and tell its operator if it fails again."
        )
    return f"{server} responded with status {status}, and not as a Diptych server does. Check the address."


def _of_fields(fields: Any, path: str = "") -> Iterator[str]:
    """Yield each sentence about a field that is wrong, with the path of the field."""
    if isinstance(fields, Mapping):
        for name, inner in fields.items():
            yield from _of_fields(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(fields, list):
        for inner in fields:
            yield from _of_fields(inner, path)
    else:
        yield f"{path}: {fields}" if path else str(fields)
