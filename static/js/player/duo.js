/**
 * Two video elements as one instrument: they start, wait, pause, loop and move together.
 *
 * While they play, nothing is ever seeked to correct drift; at each turn of the loop both start again together.
 * Paused, both stand on one frame, counted in frames of the faster video. Events: `change` (anything to paint), `ended`
 * (detail: side), `moved`, `blocked` (detail: "sound" or "play").
 */

import { SIDES, bySide } from "../page/dom.js";

/** @typedef {Pick<Clip, "fps" | "duration_s">} Length how long and fast a video runs */

const ENOUGH_TO_START = 4; // HAVE_ENOUGH_DATA, which is when `canplaythrough` comes
const ENOUGH_TO_GO_ON = 3;
const HAVE_METADATA = 1;
const USUAL_FPS = 25;
/** Nearer than this part of a frame to its edge, rounding could show the neighbour. */
const EDGE = 0.2;
/** What clocks and containers lose by rounding, in frames. */
const ROUNDING = 1e-3;
const TELLING = ["waiting", "stalled", "canplay", "canplaythrough", "loadeddata", "seeked", "emptied", "durationchange"];

export class Duo extends EventTarget {
  /** The elements that play; before the first pair, two that are not on the page. @type {BySide<HTMLVideoElement>} */
  videos = bySide(() => document.createElement("video"));
  /** Whether there is a pair. */
  #hasPair = false;
  /** @type {Side | "both"} */
  selection = "both";
  rate = 1;
  loop = true;
  /** @type {Side | "off"} */
  sound = "off";
  wanted = false; // what the person asked for
  running = false; // what happens
  /** @type {BySide<Length>} */
  #clips = bySide(() => ({ fps: 0, duration_s: 0 }));
  /** The frame that both stand on; null while they play, and when they wait in the middle of playing. */
  #parked = /** @type {number | null} */ (0);
  /** Which have come to their end and wait there for the other. */
  #over = { left: false, right: false };
  #listening = { left: new AbortController(), right: new AbortController() };

  /**
   * Takes over another pair of elements, with `{fps, duration_s}` of the clips by side.
   *
   * @param {BySide<HTMLVideoElement>} videos
   * @param {BySide<Length>} clips
   */
  adopt(videos, clips) {
    Object.assign(this, { videos, wanted: false, running: false, selection: "both", sound: "off" });
    this.#hasPair = true;
    this.#clips = clips;
    this.#parked = 0;
    this.#over = { left: false, right: false };
    for (const side of SIDES) this.#listen(side);
    this.#apply();
    this.#changed();
  }

  /** Another element has taken a side's place in `videos`, and stands where the old one stood. @param {Side} side */
  replaced(side) {
    this.#listen(side);
    this.#apply();
    this.#settle();
  }

  /** @param {Side} side */
  #listen(side) {
    this.#listening[side].abort();
    this.#listening[side] = new AbortController();
    const video = this.videos[side];
    const options = { signal: this.#listening[side].signal };
    for (const name of TELLING) video.addEventListener(name, () => this.#settle(), options);
    video.addEventListener("loadedmetadata", () => this.#join(side), options);
    video.addEventListener("ended", () => this.#ended(side), options);
    video.addEventListener("pause", () => this.#pausedFromOutside(side), options);
    video.addEventListener("play", () => this.#startedFromOutside(side), options);
  }

  // --- Where they are -------------------------------------------------------------------------------

  get chosen() {
    return SIDES.filter((side) => this.selection === "both" || this.selection === side);
  }

  /** Seconds that a side's picture lasts; 0 while nobody knows. Its sound may be a little longer. @param {Side} side */
  #length(side) {
    const [stated, found] = [this.#clips[side].duration_s, this.videos[side].duration];
    if (!Number.isFinite(found)) return stated || 0;
    return stated ? Math.min(stated, found) : found;
  }

  /** Seconds that the longer of the chosen videos lasts. */
  get duration() {
    return this.#hasPair ? Math.max(...this.chosen.map((side) => this.#length(side))) : 0;
  }

  /** Seconds from the beginning; of a frame that is parked on, its beginning. */
  get position() {
    if (!this.#hasPair) return 0;
    return this.#parked === null ? Math.min(this.videos[this.#leader()].currentTime, this.duration) : this.#parked / this.fps;
  }

  /** The longer one: the one whose place is the pair's place. */
  #leader() {
    return this.chosen.reduce((longest, side) => (this.#length(side) > this.#length(longest) ? side : longest));
  }

  /** @param {Side} side */
  #fpsOf(side) {
    return this.#clips[side].fps || USUAL_FPS;
  }

  /** Frames a second of the faster clip: a step is one of its frames. */
  get fps() {
    return Math.max(...SIDES.map((side) => this.#fpsOf(side)));
  }

  /** Number of the frame in sight, from 0. */
  get frame() {
    return this.#parked ?? this.#within(Math.floor(this.position * this.fps + ROUNDING));
  }

  get lastFrame() {
    return Math.max(0, Math.round(this.duration * this.fps) - 1);
  }

  /** @param {number} frame */
  #within(frame) {
    return Math.min(this.lastFrame, Math.max(0, frame));
  }

  get ready() {
    return this.#hasPair && this.chosen.every((side) => this.isReady(side));
  }

  /** @param {Side} side */
  isReady(side) {
    const video = this.videos[side];
    if (video.seeking || video.error) return false;
    return this.#over[side] || video.readyState >= (this.running ? ENOUGH_TO_GO_ON : ENOUGH_TO_START);
  }

  /** Whether a side has come to its end and waits there for the other. @param {Side} side */
  isOver(side) {
    return this.#over[side];
  }

  // --- What a person asks for -----------------------------------------------------------------------

  play() {
    if (!this.#hasPair) return;
    this.wanted = true;
    if (this.duration && this.frame === this.lastFrame) this.#goTo(0);
    else this.#settle();
  }

  /** Pauses and brings both to one frame. */
  pause() {
    if (!this.wanted && !this.running) return;
    this.step(0);
  }

  toggle() {
    if (this.wanted) this.pause();
    else this.play();
  }

  /** Steps by frames of the faster video, pausing first. @param {number} frames */
  step(frames) {
    if (!this.#hasPair) return;
    const { frame } = this;
    this.wanted = false;
    this.#goTo(frame + frames);
  }

  /** @param {number} seconds */
  stepSeconds(seconds) {
    this.step(Math.round(seconds * this.fps));
  }

  /** Puts both on a frame; playing goes on from there. @param {number} frame */
  toFrame(frame) {
    if (this.#hasPair) this.#goTo(frame);
  }

  /** Which play from now on. Turning to both brings them to one place again. @param {Side | "both"} selection */
  select(selection) {
    if (!this.#hasPair || selection === this.selection) return;
    const { frame } = this;
    this.selection = selection;
    this.#goTo(frame);
  }

  /** @param {number} rate */
  setRate(rate) {
    this.rate = rate;
    this.#apply();
    this.#changed();
  }

  /** @param {boolean} loop */
  setLoop(loop) {
    this.loop = loop;
    this.#changed();
  }

  /** Sound of one side, or "off". @param {Side | "off"} sound */
  setSound(sound) {
    this.sound = sound;
    this.#apply();
    this.#changed();
  }

  #apply() {
    if (!this.#hasPair) return;
    for (const side of SIDES) {
      const video = this.videos[side];
      video.defaultPlaybackRate = video.playbackRate = this.rate;
      video.muted = this.sound !== side;
    }
  }

  // --- Moving ---------------------------------------------------------------------------------------

  /** @param {number} frame */
  #goTo(frame) {
    this.#parked = this.#within(frame);
    this.#stop();
    for (const side of SIDES) this.#seek(side);
    this.dispatchEvent(new Event("moved"));
    this.#settle();
  }

  /** Puts a side where the pair is parked; one that is shorter stays on its last frame. @param {Side} side */
  #seek(side) {
    const video = this.videos[side];
    const time = this.#parked ? (this.#parked + 0.5) / this.fps : 0; // before the first frame there is none to be shown
    const length = this.#length(side);
    this.#over[side] = length > 0 && time >= length;
    if (video.readyState < HAVE_METADATA) return; // it joins as soon as it can
    const target = this.#amidFrame(side, time);
    if (video.seeking || Math.abs(video.currentTime - target) > 1e-4) video.currentTime = target;
  }

  /**
   * `time`, or the nearest time that no rounding can take for another of this side's frames.
   *
   * @param {Side} side
   * @param {number} time
   */
  #amidFrame(side, time) {
    if (time === 0) return 0;
    const fps = this.#fpsOf(side);
    const last = Math.max(0, Math.round(this.#length(side) * fps) - 1);
    const frame = Math.min(last, Math.floor(time * fps + 1e-6));
    return (frame + Math.min(1 - EDGE, Math.max(EDGE, time * fps - frame))) / fps;
  }

  /** A side that comes later goes where the pair is. @param {Side} side */
  #join(side) {
    if (this.#parked) this.#seek(side);
    this.#settle();
  }

  /** Makes what happens agree with what is wanted: both run, or neither. */
  #settle() {
    if (!this.#hasPair) return;
    if (this.wanted && this.ready) this.#start();
    else this.#stop();
    this.#changed();
  }

  #start() {
    this.running = true;
    this.#parked = null;
    for (const side of SIDES) {
      const video = this.videos[side];
      if (!this.chosen.includes(side)) video.pause();
      else if (video.paused && !this.#over[side]) this.#playOne(video);
    }
  }

  /** @param {HTMLVideoElement} video */
  #playOne(video) {
    const { muted } = video;
    video.play().catch((error) => this.#refusedToPlay(error, muted));
  }

  #stop() {
    this.running = false;
    for (const side of SIDES) this.videos[side].pause();
  }

  /**
   * The browser wants a gesture first: without sound it may play all the same.
   *
   * @param {Error} error
   * @param {boolean} muted
   */
  #refusedToPlay(error, muted) {
    if (error.name !== "NotAllowedError" || !this.wanted) return; // AbortError: a pause came first
    if (muted) this.pause();
    else this.setSound("off");
    this.dispatchEvent(new CustomEvent("blocked", { detail: muted ? "play" : "sound" }));
    this.#settle();
  }

  /** A media key, or the system, has paused one of two that play: both pause. @param {Side} side */
  #pausedFromOutside(side) {
    const video = this.videos[side];
    if (this.running && this.chosen.includes(side) && video.paused && !video.ended) this.pause();
  }

  /** Nothing but this instrument starts a video. @param {Side} side */
  #startedFromOutside(side) {
    if (!this.running || !this.chosen.includes(side)) this.videos[side].pause();
  }

  /** @param {Side} side */
  #ended(side) {
    if (!this.videos[side].ended) return; // moved on meanwhile
    this.#over[side] = true;
    this.dispatchEvent(new CustomEvent("ended", { detail: side }));
    if (!this.chosen.every((one) => this.#over[one])) this.#changed();
    else if (this.loop && this.wanted) this.#goTo(0);
    else this.step(this.lastFrame);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
