/**
 * Two video elements as one instrument: they start, wait, pause, loop and move together.
 *
 * While they play, nothing is ever seeked to correct drift; at each turn of the loop both start again together.
 * Paused, both stand at the middle of one frame of the faster video. Events: `change` (anything to paint), `ended`
 * (detail: side), `moved`, `blocked`.
 */

import { SIDES } from "../workspace/dom.js";

const ENOUGH_TO_START = 4; // HAVE_ENOUGH_DATA, which is when `canplaythrough` comes
const ENOUGH_TO_GO_ON = 3;
const PATIENCE_MS = 4000;

export class Duo extends EventTarget {
  videos = null;
  selection = "both";
  rate = 1;
  loop = true;
  sound = "off";
  wanted = false; // what the person asked for
  running = false; // what happens
  #fps = { left: 25, right: 25 };
  #moves = new Set();
  #listening = new AbortController();

  /** Takes over another pair of elements, with the clips' frames a second by side. */
  adopt(videos, fps) {
    this.#listening.abort();
    this.#listening = new AbortController();
    this.videos = videos;
    for (const side of SIDES) this.#fps[side] = fps[side] || 25;
    this.#moves = new Set();
    Object.assign(this, { wanted: false, running: false, selection: "both", sound: "off" });
    for (const side of SIDES) this.#listen(side, videos[side], { signal: this.#listening.signal });
    this.#apply();
    this.#changed();
  }

  #listen(side, video, options) {
    for (const name of ["waiting", "stalled", "canplay", "canplaythrough", "loadeddata", "emptied", "durationchange"]) {
      video.addEventListener(name, () => this.#settle(), options);
    }
    video.addEventListener("ended", () => this.#ended(side), options);
  }

  get chosen() {
    return SIDES.filter((side) => this.selection === "both" || this.selection === side);
  }

  /** Seconds that the longer of the chosen videos lasts. */
  get duration() {
    return Math.max(0, ...this.chosen.map((side) => this.videos[side].duration || 0));
  }

  get position() {
    return this.#leader()?.currentTime ?? 0;
  }

  get ready() {
    return this.videos !== null && this.chosen.every((side) => this.isReady(side));
  }

  isReady(side) {
    const video = this.videos[side];
    if (video.ended) return true;
    return video.readyState >= (this.running ? ENOUGH_TO_GO_ON : ENOUGH_TO_START);
  }

  /** Frames a second of the faster clip: a step is one of its frames. */
  get fps() {
    return Math.max(this.#fps.left, this.#fps.right);
  }

  /** Number of the frame in sight, from 0. */
  get frame() {
    return this.#frameAt(this.position);
  }

  get lastFrame() {
    return Math.max(0, Math.ceil(this.duration * this.fps - 1e-3) - 1);
  }

  #frameAt(time) {
    return Math.min(this.lastFrame, Math.max(0, Math.floor(time * this.fps + 1e-3)));
  }

  /** The longer one: the one whose place is the pair's place. */
  #leader() {
    if (!this.videos) return null;
    const length = (side) => this.videos[side].duration || 0;
    const [first, second] = this.chosen;
    return this.videos[second && length(second) > length(first) ? second : first];
  }

  async play() {
    if (!this.videos) return;
    this.wanted = true;
    if (this.duration && this.frame === this.lastFrame) await this.moveTo(0);
    this.#settle();
  }

  /** Pauses and brings both to one frame. */
  pause() {
    if (!this.wanted && !this.running) return undefined;
    this.wanted = false;
    this.#settle();
    return this.toFrame(this.frame);
  }

  toggle() {
    return this.wanted ? this.pause() : this.play();
  }

  /** Steps by frames of the faster video, pausing first. */
  step(frames) {
    this.wanted = false;
    this.#settle();
    return this.toFrame(this.frame + frames);
  }

  stepSeconds(seconds) {
    return this.step(Math.round(seconds * this.fps));
  }

  /** Goes to the middle of a frame, where no rounding can show its neighbour. */
  toFrame(frame) {
    return this.moveTo((Math.min(this.lastFrame, Math.max(0, frame)) + 0.5) / this.fps);
  }

  /** Puts both at `time`; playing goes on from there. A shorter one stays at its last frame. */
  async moveTo(time) {
    if (!this.videos) return;
    const moves = this.#moves;
    const move = {};
    moves.add(move);
    this.#settle();
    await Promise.all(SIDES.map((side) => this.#seek(side, time)));
    moves.delete(move);
    if (moves !== this.#moves) return; // another pair meanwhile
    this.dispatchEvent(new Event("moved"));
    this.#settle();
  }

  #seek(side, time) {
    const video = this.videos[side];
    if (video.readyState < 1) {
      // Not there yet: it moves when it is, or the two would stand at different frames.
      return new Promise((resolve) => {
        video.addEventListener("loadedmetadata", () => resolve(this.#seek(side, time)), {
          once: true,
          signal: this.#listening.signal,
        });
      });
    }
    const last = Math.max(0, video.duration - 0.5 / this.#fps[side]);
    const target = Math.min(Math.max(0, time), last);
    if (!video.seeking && Math.abs(video.currentTime - target) < 1e-4) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, PATIENCE_MS);
      video.addEventListener("seeked", () => { clearTimeout(timer); resolve(); }, { once: true });
      video.currentTime = target;
    });
  }

  /** Which play from now on: left, both or right. Turning to both brings them to one place again. */
  async select(selection) {
    if (!this.videos || selection === this.selection) return;
    const place = this.position;
    this.selection = selection;
    this.#apply();
    this.#settle();
    await (this.wanted ? this.moveTo(place) : this.toFrame(this.#frameAt(place)));
  }

  setRate(rate) {
    this.rate = rate;
    this.#apply();
    this.#changed();
  }

  setLoop(loop) {
    this.loop = loop;
    this.#changed();
  }

  /** Sound of one side, or "off". */
  setSound(sound) {
    this.sound = sound;
    this.#apply();
    this.#changed();
  }

  #apply() {
    if (!this.videos) return;
    for (const side of SIDES) {
      const video = this.videos[side];
      video.defaultPlaybackRate = video.playbackRate = this.rate;
      video.muted = this.sound !== side;
    }
  }

  /** Makes what happens agree with what is wanted: both run, or neither. */
  #settle() {
    if (!this.videos) return;
    const run = this.wanted && this.#moves.size === 0 && this.ready;
    if (run) this.#start();
    else this.#stop();
    this.#changed();
  }

  #start() {
    this.running = true;
    for (const side of SIDES) {
      const video = this.videos[side];
      if (!this.chosen.includes(side)) video.pause();
      else if (video.paused && !video.ended) video.play().catch((error) => this.#refusedToPlay(error));
    }
  }

  #stop() {
    this.running = false;
    for (const side of SIDES) this.videos[side].pause();
  }

  #refusedToPlay(error) {
    if (error.name !== "NotAllowedError") return; // AbortError: a pause came first
    this.wanted = false;
    this.#stop();
    this.dispatchEvent(new Event("blocked"));
    this.#changed();
  }

  async #ended(side) {
    this.dispatchEvent(new CustomEvent("ended", { detail: side }));
    if (!this.chosen.every((chosen) => this.videos[chosen].ended)) return this.#changed();
    if (this.loop && this.wanted) return this.moveTo(0);
    this.wanted = false;
    return this.#settle();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
