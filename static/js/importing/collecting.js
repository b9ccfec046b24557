/**
 * The page of an import that collects its files: choose or drop them, see their progress, pause and continue.
 * The server's list is authoritative. After a reload, uploads continue when the same files are chosen again.
 */

import { all, given, one, onAction, say, sentenceOf } from "../page/dom.js";
import { chosen, dropped } from "./choosing.js";
import { Files } from "./files.js";
import { bytesInWords, timeInWords } from "./in_words.js";
import { Refused, SignedOut, Stopped, remove, send } from "./sending.js";

const AT_ONCE = 3;
const REPAINT_MS = 250;
const SPEED_OVER_MS = 10_000;

const root = one("[data-collect]");
const uploads = given(root, "uploads");
const pieceBytes = Number(given(root, "pieceBytes"));
const most = Number(given(root, "most"));
const startButton = one("button[data-begin]");
const files = new Files(one("[data-files]"), one("template#file-row"));
let running = new AbortController();
let paused = false;
let hindrance = ""; // why all uploads have stopped: a key of the words
/** @type {Set<FileEntry>} */
const away = new Set();
/** @type {[when: number, received: number][]} */
const marks = []; // [when, received bytes], for the speed

async function begin() {
  const answer = await fetch(uploads, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  files.learn(await answer.json(), uploads);
  root.hidden = false;
  for (const input of all("input[type=file]", root)) input.addEventListener("change", () => addFiles(chosen(input)));
  listenToDrops();
  setInterval(paint, REPAINT_MS);
  paint();
}

/**
 * Add chosen files. A file replaces one of the same name that waits. One of the same length continues its upload.
 *
 * @param {ChosenFile[]} pairs
 */
function addFiles(pairs) {
  const left = most - files.size;
  const fresh = pairs.filter(([path]) => !files.has(path)).length;
  if (fresh > left) {
    showNote("too-many", { most: most.toLocaleString(document.documentElement.lang), count: fresh.toLocaleString(document.documentElement.lang) });
    return;
  }
  showNote(pairs.length ? "" : "nothing");
  for (const [path, file] of pairs) files.choose(path, file);
  goOn();
}

function goOn() {
  paused = false;
  hindrance = "";
  running = new AbortController();
  marks.length = 0;
  dispatchEvent(new Event("diptych:retry"));
  fill();
}

function stop(because = "") {
  paused = true;
  hindrance = because;
  running.abort();
  dispatchEvent(new Event("diptych:retry")); // wakes uploads that wait for the network, so that they stop
}

/** Start uploads until as many run as are allowed at the same time. */
function fill() {
  while (!paused && files.count("sending") < AT_ONCE) {
    const next = files.next();
    if (!next) break;
    deliver(next, running.signal);
  }
  paint();
}

/** @param {FileEntry} entry @param {AbortSignal} signal */
async function deliver(entry, signal) {
  const { file } = entry;
  if (!file) return;
  files.set(entry, "sending");
  try {
    await send(file, entry.path, {
      collection: uploads,
      pieceBytes,
      signal,
      placed: (address) => { entry.address = address; },
      moved: (bytes) => { entry.received = bytes; },
      waits: (isAway) => { if (isAway) away.add(entry); else away.delete(entry); },
    });
    files.set(entry, "here");
  } catch (error) {
    const isClosed = error instanceof Refused && error.code === "not_collecting";
    if (error instanceof Refused && !isClosed) files.set(entry, "refused", error.message);
    else files.set(entry, "waiting");
    if (isClosed) stop("closed");
    else if (error instanceof SignedOut) stop("signed-out");
    else if (!(error instanceof Refused || error instanceof Stopped)) throw error;
  } finally {
    away.delete(entry);
    if (!signal.aborted) fill();
  }
}

/** @param {FileEntry} entry */
async function drop(entry) {
  if (entry.address) await remove(entry.address);
  files.forget(entry);
  paint();
}

/**
 * Show a sentence about the files that were just chosen.
 *
 * @param {string} key
 * @param {Record<string, unknown>} [values]
 */
function showNote(key, values = {}) {
  one("[data-told]").textContent = key ? say(key, values) : "";
}

function state() {
  if (hindrance) return hindrance;
  if (paused) return "paused";
  if (files.count("sending")) return away.size ? "away" : "sending";
  if (files.count("refused")) return "refused";
  if (files.count("lacking")) return "lacking";
  return files.size ? "all-here" : "none";
}

function paint() {
  const now = state();
  const { bytes, received } = files.totals();
  const values = { here: files.count("here").toLocaleString(document.documentElement.lang), files: files.size.toLocaleString(document.documentElement.lang), left: timeLeft(bytes, received) };
  const words = say(now === "sending" && values.left ? "sending-left" : now, values);
  const line = one("[data-line]");
  if (line.textContent !== words) line.textContent = words;
  announce(now);
  one("[data-sum]").textContent = say("sum", { ...values, received: bytesInWords(received), bytes: bytesInWords(bytes) });
  const bar = one("progress[data-all]");
  bar.max = bytes || 1;
  bar.value = bytes ? received : Number(now === "all-here");
  one("[data-progress]").hidden = !files.size;
  one('[data-action="pause"]').hidden = paused || !files.count("sending");
  one('[data-action="go-on"]').hidden = !paused || now === "closed";
  startButton.disabled = now !== "all-here";
  files.paint();
}

let announced = "";

/** Announce a new state to screen readers, but not every number. @param {string} now */
function announce(now) {
  if (announced !== now) one("[data-announce]").textContent = say(now, { files: files.size, here: files.count("here") });
  announced = now;
}

/**
 * Return the remaining time in words, from the speed of the last seconds. It is empty until the speed is known.
 *
 * @param {number} bytes
 * @param {number} received
 */
function timeLeft(bytes, received) {
  const now = performance.now();
  marks.push([now, received]);
  while (marks.length > 2 && now - marks[0][0] > SPEED_OVER_MS) marks.shift();
  const [[since, before]] = marks;
  if (now - since < SPEED_OVER_MS / 4 || received <= before) return "";
  return timeInWords(((bytes - received) * (now - since)) / (received - before) / 1000);
}

function listenToDrops() {
  const zone = one("[data-drop]");
  addEventListener("dragover", (event) => { event.preventDefault(); zone.dataset.over = ""; });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) delete zone.dataset.over; });
  addEventListener("drop", async (event) => {
    event.preventDefault();
    delete zone.dataset.over;
    try {
      if (event.dataTransfer) addFiles(await dropped(event.dataTransfer));
    } catch {
      showNote("unreadable");
    }
  });
}

onAction("pause", () => { stop(); paint(); });
onAction("go-on", goOn);
onAction("again", (button) => {
  const entry = files.of(button);
  if (entry) files.set(entry, "waiting");
  goOn();
});
onAction("remove", (button) => {
  const entry = files.of(button);
  if (entry) drop(entry).catch((error) => showNote("not-removed", { why: sentenceOf(error) }));
});
addEventListener("beforeunload", (event) => { if (files.count("sending")) event.preventDefault(); });

begin().catch(() => { one("[data-unreachable]").hidden = false; });
