"""How the workspace feels: one person goes through pair after pair, in a real Chromium on the product as it is run.

Times are taken in the page. The frames that are shown are read from the numbers in the clips' own pictures. Times mean
something only if the machine is otherwise idle. Wrong frames, bytes, live addresses and memory always do.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import browser_page, claims
from benchmarks.bare_chromium import Chromium, Page, chromium
from benchmarks.claims import Claim, at_most, none_at_all
from benchmarks.scratch import Product, product
from benchmarks.skew import skew
from diptych.embedded.state import EmbeddedError
from tests.browser import barcodes

STEPS = ["forward"] * 12 + ["back"] * 5
LINK_BYTES_A_SECOND = 1_000_000
MOST_COMPRESSED_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Plan:
    """The number of pairs, where memory is compared, which pairs are played, and which are checked frame by frame."""

    pairs: int
    early: int
    memory_every: int
    play_every: int
    play_ms: int
    close_pairs: int
    link_pairs: int


FULL = Plan(pairs=200, early=20, memory_every=20, play_every=6, play_ms=9_000, close_pairs=20, link_pairs=20)
QUICK = Plan(pairs=20, early=5, memory_every=5, play_every=6, play_ms=5_000, close_pairs=4, link_pairs=6)


@dataclass(slots=True)
class Seen:
    """The measurements, pair after pair."""

    next_ms: list[float] = field(default_factory=list)
    skews: dict[str, list[float]] = field(default_factory=lambda: {"one rate": [], "two rates": []})
    apart_ms: list[float] = field(default_factory=list)
    paused_apart: int = 0
    steps: int = 0
    wrong_steps: int = 0
    memory_mb: dict[int, dict[str, float]] = field(default_factory=dict)
    most_urls: int = 0
    long_frames: list[list[float]] = field(default_factory=list)
    page_bytes: list[list[Any]] = field(default_factory=list)
    submit_ms: dict[str, list[float]] = field(default_factory=dict)
    link_next_ms: list[float] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write. Return 0 if the program ran, whatever the claims say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.browser", description=__doc__.splitlines()[0])
    claims.add_options(parser)
    options = parser.parse_args(arguments)
    plan = QUICK if options.quick else FULL
    try:
        with product("diptych.settings") as running:
            seen, facts = measure(running, plan)
    except (EmbeddedError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    judged = judge(plan, seen)
    print(f"\n{summary_table(plan, seen)}\n\n{claims.claims_table(judged)}")
    if options.json:
        detail = {name: getattr(seen, name) for name in Seen.__slots__}
        claims.write(
            options.json, judged, {"machine": facts, "plan": {n: getattr(plan, n) for n in Plan.__slots__}, **detail}
        )
    return 0


# --- Measuring ----------------------------------------------------------------------------------------


def measure(running: Product, plan: Plan) -> tuple[Seen, dict[str, Any]]:
    from benchmarks import clips_study, studies  # the models need the settings, which are ready only now

    load = Path("/proc/loadavg").read_text().split()[0]
    study = clips_study.fill(plan.pairs + plan.close_pairs + 2 * plan.link_pairs + 8)
    [person] = studies.sign_in(1, [study])
    address = f"http://127.0.0.1:{running.port}"
    path = f"{address}/studies/{study.slug}/workspace/"
    seen = Seen()
    with chromium() as browser:
        facts = {"browser": browser.version, "load_before": load}
        with workspace(browser, address, path, person) as page:
            go_through(page, plan, seen)
        with workspace(browser, address, path, person) as page:
            look_closely(page, plan, seen)
        for name, speed in (("free link", 0), ("1 MB/s link", LINK_BYTES_A_SECOND)):
            with workspace(browser, address, path, person, link=speed) as page:
                submit_beside_media(page, plan, seen, name)
    facts["load_after"] = Path("/proc/loadavg").read_text().split()[0]
    return seen, facts


@contextmanager
def workspace(browser: Chromium, address: str, path: str, person: dict[str, str], link: int = 0) -> Iterator[Page]:
    """Open the page in a fresh profile, with its first pair loaded. `link` is in bytes per second, 0 for no limit."""
    page = Page(browser)
    page.keep_cookie("sessionid", person["session"], address)
    page.before_scripts(browser_page.FROM_THE_START)
    page.open(path)
    page.wait_for("() => document.body?.dataset.person")
    page.evaluate(barcodes.READER)
    page.wait_for(browser_page.LOADED, False)
    if link:  # not before: a page that opens on an emulated link sometimes stops in the middle
        page.slow_down(link)
    yield page
    page.close()


def go_through(page: Page, plan: Plan, seen: Seen) -> None:
    """Answer pair after pair with the next one loaded, like a person who takes a few seconds for each answer."""
    seen.page_bytes = page.evaluate(browser_page.BYTES)
    for number in range(1, plan.pairs + 1):
        page.wait_for(browser_page.LOADED, True)
        if number % plan.play_every == 0:
            play(page, plan, seen)
        page.evaluate(browser_page.ANSWER)
        seen.next_ms.append(page.evaluate(browser_page.SUBMIT))
        if number % plan.memory_every == 0:
            page.wait_for(browser_page.LOADED, True)
            seen.memory_mb[number] = memory_mb(page)
    seen.most_urls = page.evaluate("() => bench.mostUrls")
    seen.long_frames = page.evaluate("() => bench.longFrames")


def look_closely(page: Page, plan: Plan, seen: Seen) -> None:
    """Read from the pictures which frames are shown after a pause and after each step.

    This uses a page of its own. The browser keeps what is drawn into a canvas, some 25 MB for a pair, and memory is to
    be that of the workspace, which draws nothing.
    """
    for _ in range(plan.close_pairs):
        page.wait_for(browser_page.LOADED, True)
        rates, _length_s = clips_in_sight(page)
        page.evaluate(browser_page.PLAY, 1_000)
        seen.paused_apart += page.evaluate(browser_page.FRAMES_AFTER, None) != expected(page, rates)
        step(page, seen)
        page.evaluate(browser_page.ANSWER)
        page.evaluate(browser_page.SUBMIT)


def play(page: Page, plan: Plan, seen: Seen) -> None:
    """Play over several turns of the loop."""
    rates, length_s = clips_in_sight(page)
    shown = page.evaluate(browser_page.PLAY, plan.play_ms)
    left, right = ([(at, media_time) for at, media_time in shown[side]] for side in ("left", "right"))
    apart = skew(left, right, fps=min(rates.values()), length_s=length_s)
    seen.skews["one rate" if len(set(rates.values())) == 1 else "two rates"] += apart.frames
    seen.apart_ms.append(apart.longest_ms)


def step(page: Page, seen: Seen) -> None:
    """Step frame by frame, forwards and back, and compare with the numbers in the pictures."""
    rates, _ = clips_in_sight(page)
    for action in STEPS:
        frames = page.evaluate(browser_page.FRAMES_AFTER, action)
        should = expected(page, rates)
        seen.steps += len(frames)
        seen.wrong_steps += sum(frames[side] != should[side] for side in frames)


def clips_in_sight(page: Page) -> tuple[dict[str, float], float]:
    """Return the frames per second by side, and the number of seconds that both last."""
    from annotation.models import Assignment

    assignment = Assignment.objects.select_related("pair__video_0__asset", "pair__video_1__asset").get(
        pk=int(page.evaluate("() => document.body.dataset.assignment"))
    )
    assets = [assignment.pair.video_0.asset, assignment.pair.video_1.asset]
    left, right = assets if assignment.left == "video_0" else reversed(assets)
    return {"left": left.fps or 0.0, "right": right.fps or 0.0}, left.duration_s or 0.0


def expected(page: Page, rates: dict[str, float]) -> dict[str, int]:
    """Return the frame of each side at the player's position, which it counts in frames of the faster clip."""
    middle_s = (page.evaluate(browser_page.PLACE) + 0.5) / max(rates.values())
    return {side: int(middle_s * rate + 1e-6) for side, rate in rates.items()}


def memory_mb(page: Page) -> dict[str, float]:
    """Return megabytes by kind of process after garbage collection. Proportional set size counts shared memory once."""
    page.send("HeapProfiler.collectGarbage")
    time.sleep(1)  # browsers release memory when they like
    total: dict[str, float] = {}
    for process in page.browser.processes():
        total[process["type"]] = total.get(process["type"], 0.0) + proportional_mb(process["id"])
    return total


def proportional_mb(pid: int) -> float:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0  # ended meanwhile
    return next(int(line.split()[1]) / 1024 for line in rollup.splitlines() if line.startswith("Pss:"))


def submit_beside_media(page: Page, plan: Plan, seen: Seen, link: str) -> None:
    """Submit answers as soon as a pair is there, while the next one is still loading."""
    beside = []
    for _ in range(plan.link_pairs):
        page.wait_for(browser_page.LOADED, False)
        page.evaluate(browser_page.ANSWER)
        beside.append(not page.evaluate(browser_page.ALL_LOADED))
        waited = page.evaluate(browser_page.SUBMIT)
        if link != "free link":
            seen.link_next_ms.append(waited)
    page.wait_for(browser_page.LOADED, False)
    took = [ms for _, ms in sorted(page.evaluate(browser_page.SUBMISSIONS))]
    slow = link != "free link"
    seen.submit_ms[link] = [ms for ms, was_loading in zip(took, beside, strict=False) if was_loading or not slow]


# --- Judging ------------------------------------------------------------------------------------------


def judge(plan: Plan, seen: Seen) -> list[Claim]:
    """Return the claims of docs/benchmarks, from the measurements."""
    early, late = (seen.memory_mb[number] for number in (plan.early, plan.pairs))
    kinds = ("renderer", "browser")
    skews = [frames for of_rates in seen.skews.values() for frames in of_rates]
    growth = 100 * (sum(late[kind] for kind in kinds) / sum(early[kind] for kind in kinds) - 1)
    return [
        at_most("submit to first frames of the next pair, p95", percentile(seen.next_ms, 95), 100, "ms"),
        at_most("skew while playing, p95", percentile(skews, 95), 1.01, "frames"),
        at_most("skew while playing, p99", percentile(skews, 99), 2.01, "frames"),
        at_most("longest time more than one frame apart", max(seen.apart_ms), 100, "ms"),
        none_at_all("pauses with two different frames", seen.paused_apart, "pauses"),
        none_at_all(f"wrong frames in {seen.steps} steps", seen.wrong_steps, "frames"),
        at_most("script and style, compressed", compressed_kb(seen), MOST_COMPRESSED_BYTES / 1000, "kB"),
        at_most(f"memory from pair {plan.early} to {plan.pairs}", growth, 15, "%"),
        at_most("object URLs alive", seen.most_urls, 4, "addresses"),
        at_most(
            "submission beside loading media, 1 MB/s, p95", percentile(seen.submit_ms["1 MB/s link"], 95), 50, "ms"
        ),
    ]


def summary_table(plan: Plan, seen: Seen) -> str:
    """Return the figures that the claims leave out."""
    waits = [ms for ms, _ in seen.long_frames]
    rows = [
        ["submit to first frames of the next pair, p50 / p95 / worst", spread(seen.next_ms), "ms"],
        *(
            [f"skew, clips of {rates}, p50 / p95 / worst", spread(frames), "frames"]
            for rates, frames in seen.skews.items()
        ),
        ["long animation frames", f"{len(waits)} in {plan.pairs} pairs", f"worst {max(waits, default=0):.0f} ms"],
        ["submission, free link, p50 / p95 / worst", spread(seen.submit_ms["free link"]), "ms"],
        ["submission beside media at 1 MB/s, p50 / p95 / worst", spread(seen.submit_ms["1 MB/s link"]), "ms"],
        ["submit to the next pair at 1 MB/s, nothing loaded ahead", spread(seen.link_next_ms), "ms"],
    ]
    for number, kinds in seen.memory_mb.items():
        shown = ", ".join(f"{kind} {mb:.0f}" for kind, mb in sorted(kinds.items()))
        rows.append([f"memory at pair {number}", shown, "MB"])
    return claims.table(["measured", "value", ""], rows)


def compressed_kb(seen: Seen) -> float:
    return sum(compressed for _, compressed, _ in seen.page_bytes) / 1000


def spread(values: Sequence[float]) -> str:
    if not values:
        return "–"
    return f"{percentile(values, 50):.1f} / {percentile(values, 95):.1f} / {max(values):.1f}"


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile of at least one value. Of few values it is the nearest above."""
    if len(values) < 2:
        return values[0] if values else float("nan")
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


if __name__ == "__main__":
    sys.exit(main())
