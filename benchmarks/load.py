"""The people: keep-alive connections that answer without thinking time, from one light process.

`python -m benchmarks.load` reads a plan (JSON) and writes its measurements (JSON). Each person is a generator that
yields the next call and is sent the response. One loop over the sockets drives all of them. The process imports nothing
of the product, so it costs the machine little: its report has the share of a processor that it took.
"""

import gc
import json
import math
import re
import selectors
import socket
import sys
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

SILENCE_S = 30.0  # a server that sends no response for this long has failed
HEADERS_END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)

#: A submission as the page sends it, without the fields that differ.
ANSWERS = {
    "helpfulness": {
        "instruction_following": "video_0",
        "correctness": "video_1",
        "informativeness": "video_0",
        "aesthetics": "video_1",
        "overall": "video_0",
    },
    "harmlessness": {"video_0": {"tags": []}, "video_1": {"tags": ["violence"]}, "overall": "video_0"},
    "timings_ms": {
        "helpfulness_1": 14_210,
        "helpfulness_2": 3_902,
        "harmlessness_1": 8_120,
        "harmlessness_2": 2_411,
    },
    "viewing": {
        "video_0": {"played_s": 12.04, "seen_through": True, "loops": 2},
        "video_1": {"played_s": 11.96, "seen_through": True, "loops": 2},
        "presentation": {
            "together_s": 11.2,
            "singly_s": 1.6,
            "sound_s": 0,
            "speeds": {"1": 12.8},
            "box": [720, 405],
            "pixel_ratio": 2,
            "native": {"video_0": [1280, 720], "video_1": [1280, 720]},
        },
    },
}


@dataclass(frozen=True, slots=True)
class Call:
    """One request: the kind that it counts as, its address, and its body."""

    kind: str
    path: str
    body: bytes = b""


#: Yields calls and is sent responses. The first call is made before the clock starts. Returns when nothing is left.
Person = Generator[Call, Any, None]


def one_request(study: dict[str, Any]) -> Person:
    """Submit answers and get the next pair in the same request, as the page does."""
    desk = yield lease(study)
    while desk["current"]:
        desk = yield submit(desk["current"]["id"], lease_next=True)


def two_requests(study: dict[str, Any]) -> Person:
    """Submit an answer, then request the next pair."""
    desk = yield lease(study)
    while desk["current"]:
        yield submit(desk["current"]["id"], lease_next=False)
        desk = yield lease(study)


def bare(study: dict[str, Any]) -> Person:
    """Make one request per loop against the reference view."""
    path = f"/benchmark/bare/{study['id']}/"
    desk = yield Call("lease", path, orjson.dumps({"assignment": None}))
    while desk["current"]:
        answers = {"submission_id": uuid.uuid4(), "assignment": desk["current"]["id"]}
        desk = yield Call("submit", path, orjson.dumps(ANSWERS | answers))


def empty(study: dict[str, Any]) -> Person:
    """Request the reference view that responds with `{}`."""
    while True:
        yield Call("empty", "/benchmark/empty/")


def lease(study: dict[str, Any]) -> Call:
    return Call("lease", f"/api/v1/studies/{study['slug']}/assignments/")


def submit(assignment_id: int, *, lease_next: bool) -> Call:
    answers = {"submission_id": uuid.uuid4(), "lease_next": lease_next}
    return Call("submit", f"/api/v1/assignments/{assignment_id}/submit/", orjson.dumps(ANSWERS | answers))


WAYS: dict[str, Callable[[dict[str, Any]], Person]] = {
    "one request": one_request,
    "two requests": two_requests,
    "bare": bare,
    "empty": empty,
}


class Connection:
    """One person's browser: their headers, and the call that they make next (None: nothing is left to do)."""

    def __init__(self, port: int, signed_in: dict[str, str], person: Person) -> None:
        self.channel = socket.create_connection(("127.0.0.1", port), timeout=SILENCE_S)
        self.channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.headers = (
            f"Host: 127.0.0.1:{port}\r\n"
            f"Origin: http://127.0.0.1:{port}\r\n"
            f"Cookie: sessionid={signed_in['session']}; csrftoken={signed_in['csrf']}\r\n"
            f"X-CSRFToken: {signed_in['csrf']}\r\n"
            "Accept: application/json\r\n"
            "Accept-Language: en\r\n"
            "Content-Type: application/json\r\n"
        ).encode()
        self.person = person
        self.call: Call | None = next(person)
        self.received = bytearray()
        self.sent_at = 0.0

    def send(self, call: Call) -> None:
        """Send a call. It is far smaller than a socket's buffer, so this does not wait."""
        head = f"POST {call.path} HTTP/1.1\r\nContent-Length: {len(call.body)}\r\n".encode()
        self.sent_at = time.perf_counter()
        self.channel.sendall(head + self.headers + b"\r\n" + call.body)

    def receive(self) -> tuple[int, bytes] | None:
        """Return status and body when they have come completely. Raises ConnectionError if the server hangs up."""
        piece = self.channel.recv(65536)
        if not piece:
            raise ConnectionError("The web server closed a keep-alive connection.")
        self.received += piece
        head = self.received.find(HEADERS_END)
        if head < 0:
            return None
        length = LENGTH.search(self.received, 0, head)
        begins = head + len(HEADERS_END)
        ends = begins + (int(length[1]) if length else 0)
        if len(self.received) < ends:
            return None
        status, body = int(self.received[9:12]), bytes(self.received[begins:ends])
        self.received.clear()
        return status, body

    def go_on(self, answer: Any) -> None:
        """Let the person read the response and decide what to do next."""
        try:
            self.call = self.person.send(answer)
        except StopIteration:
            self.call = None


class Crowd:
    """All people of a run, and the measurements."""

    def __init__(self, plan: dict[str, Any]) -> None:
        way = WAYS[plan["way"]]
        self.connections = [Connection(plan["port"], signed_in, way(plan["study"])) for signed_in in plan["people"]]
        self.selector = selectors.DefaultSelector()
        for connection in self.connections:
            self.selector.register(connection.channel, selectors.EVENT_READ, connection)
        self.took_ms: dict[str, list[float]] = defaultdict(list)
        self.refused: Counter[str] = Counter()
        self.answers = 0

    def open(self) -> None:
        """Make everybody's first call, which is not measured."""
        waiting = self.send_all()
        while waiting:
            waiting -= sum(1 for _ in self.answered())

    def work(self, seconds: float) -> float:
        """Make calls until time is up or somebody has nothing left. Return the seconds until then."""
        began = time.perf_counter()
        end = began + seconds
        waiting = self.send_all()
        while waiting:
            for connection, kind, now in self.answered():
                if now <= end:
                    self.took_ms[kind].append(1000 * (now - connection.sent_at))
                if connection.call is None:
                    end = min(end, now)
                if connection.call is not None and now < end:
                    connection.send(connection.call)
                else:
                    waiting -= 1
        return end - began

    def send_all(self) -> int:
        """Send the call of everybody who has one. Return the number of calls."""
        calls = [(connection, connection.call) for connection in self.connections if connection.call]
        for connection, call in calls:
            connection.send(call)
        return len(calls)

    def answered(self) -> Iterator[tuple[Connection, str, float]]:
        """Wait for responses. Yield the connection, the kind of its call, and the time."""
        events = self.selector.select(SILENCE_S)
        if not events:
            raise TimeoutError(f"The web server sent no response for {SILENCE_S:.0f} s.")
        for key, _ready in events:
            connection: Connection = key.data
            answer = connection.receive()
            call = connection.call
            if answer is None or call is None:
                continue
            now = time.perf_counter()
            status, body = answer
            if status < 300:
                self.answers += call.kind == "submit"
                connection.go_on(orjson.loads(body))
            else:
                self.refused[f"{status} {call.kind}: {body[:200].decode(errors='replace')}"] += 1
                connection.call = None
            yield connection, call.kind, now


def percentile(ordered: list[float], percent: float) -> float:
    """Return the value that `percent` of the ordered values do not exceed (nearest rank)."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def summary(took_ms: list[float]) -> dict[str, float]:
    """Return the number of calls, and their waiting times."""
    ordered = sorted(took_ms)
    return {"count": len(ordered)} | {
        f"p{percent}_ms": round(percentile(ordered, percent), 3) for percent in (50, 95, 99)
    }


def run(plan: dict[str, Any]) -> dict[str, Any]:
    """Carry out a plan: `{"port", "way", "seconds", "study": {"id", "slug"}, "people": [{"session", "csrf"}]}`."""
    gc.disable()
    crowd = Crowd(plan)
    crowd.open()
    processor = time.process_time()
    seconds = crowd.work(plan["seconds"])
    return {
        "seconds": round(seconds, 3),
        "client_processor_share": round((time.process_time() - processor) / seconds, 3),
        "answers": crowd.answers,
        "refused": dict(crowd.refused),
        "calls": {kind: summary(took) for kind, took in crowd.took_ms.items()},
    }


if __name__ == "__main__":
    json.dump(run(json.load(sys.stdin)), sys.stdout)
