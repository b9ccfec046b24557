"""What the benchmark does in the page: JavaScript that answers, submits, plays, steps and measures times."""

#: From the first script on: long animation frames, and object URLs that are not revoked.
FROM_THE_START = """
window.bench = { urls: new Set(), mostUrls: 0, longFrames: [] };
new PerformanceObserver((list) => {
  for (const { duration, blockingDuration } of list.getEntries()) bench.longFrames.push([duration, blockingDuration]);
}).observe({ type: "long-animation-frame", buffered: true });
const { createObjectURL, revokeObjectURL } = URL;
URL.createObjectURL = (blob) => {
  const url = createObjectURL.call(URL, blob);
  bench.urls.add(url);
  bench.mostUrls = Math.max(bench.mostUrls, bench.urls.size);
  return url;
};
URL.revokeObjectURL = (url) => { bench.urls.delete(url); revokeObjectURL.call(URL, url); };
"""

#: Both visible videos are loaded. With `next`, those behind them have their first frame too.
LOADED = """(next) => {
  const videos = [...document.querySelectorAll(".screen video")];
  const inSight = videos.filter((video) => video.hasAttribute("data-active"));
  return document.body.dataset.assignment && inSight.length === 2 && inSight.every((video) => video.readyState === 4)
    && (!next || videos.every((video) => video.readyState >= 2));
}"""

#: Complete answers, one tag on each side, as clicks on the native controls.
ANSWER = """() => {
  const press = (selector) => document.querySelector(selector).click();
  for (const question of ["instruction_following", "correctness", "informativeness", "aesthetics", "helpfulness"]) {
    press(`#q-${question}-left`);
  }
  for (const side of ["left", "right"]) press(`input[name="tags-${side}"][value="crime"]`);
  press("#q-harmlessness-left");
}"""

#: Both visible videos and those behind them are loaded completely.
ALL_LOADED = """() => [...document.querySelectorAll(".screen video")].every((video) => video.readyState >= 2)"""

#: Submits. Returns the milliseconds until the page has painted the first decoded frames of both next videos.
SUBMIT = """() => new Promise((done) => {
  const { assignment } = document.body.dataset;
  const began = performance.now();
  const painted = () => {
    const { port1, port2 } = new MessageChannel(); // its message comes after the frame's painting
    port1.onmessage = () => done(performance.now() - began);
    port2.postMessage(null);
  };
  const look = () => requestAnimationFrame(() => {
    const videos = [...document.querySelectorAll("video[data-active]")];
    const there = document.body.dataset.assignment && document.body.dataset.assignment !== assignment;
    if (there && videos.length === 2 && videos.every((video) => video.readyState >= 2)) painted();
    else if (document.querySelector("[data-empty]").dataset.reason === "finished") done(null);
    else look();
  });
  document.querySelector('[data-action="submit"]').click();
  look();
})"""

#: Plays for so many milliseconds. Returns what each side presented: `[display time in ms, media time in s]`.
PLAY = """(ms) => new Promise((done) => {
  const shown = { left: [], right: [] };
  let playing = true;
  for (const video of document.querySelectorAll("video[data-active]")) {
    const note = (now, { expectedDisplayTime, mediaTime }) => {
      if (!playing) return;
      shown[video.dataset.side].push([expectedDisplayTime, mediaTime]);
      video.requestVideoFrameCallback(note);
    };
    video.requestVideoFrameCallback(note);
  }
  document.querySelector('[data-action="play"]').click();
  setTimeout(() => {
    playing = false;
    document.querySelector('[data-action="play"]').click();
    done(shown);
  }, ms);
})"""

#: The position of the scrub bar, in frames of the faster clip.
PLACE = """() => Number(document.querySelector("[data-scrub]").value)"""

#: Presses a button of the player (or nothing) and waits until both rest and are painted. Returns the frame of each.
FRAMES_AFTER = """(action) => new Promise((done) => {
  const videos = [...document.querySelectorAll("video[data-active]")];
  const look = (painted) => requestAnimationFrame(() => {
    if (videos.some((video) => video.seeking || !video.paused)) look(0);
    else if (painted < 3) look(painted + 1);
    else done(Object.fromEntries(videos.map((video) => [video.dataset.side, frameOf(video)])));
  });
  if (action) document.querySelector(`[data-action="${action}"]`).click();
  look(0);
})"""

#: Bytes of scripts and styles that came over the network.
BYTES = """() => performance.getEntriesByType("resource")
  .filter(({ name }) => /\\.(js|css)(\\?|$)/.test(name))
  .map(({ name, encodedBodySize, decodedBodySize }) => [name.split("/").at(-1), encodedBodySize, decodedBodySize])"""

#: Milliseconds that each submission took so far, from the request to the whole response.
SUBMISSIONS = """() => performance.getEntriesByType("resource")
  .filter(({ name }) => name.endsWith("/submit/"))
  .map(({ startTime, responseEnd }) => [startTime, responseEnd - startTime])"""
