/**
 * Play two video elements together: they start, wait, pause, loop and seek together.
 *
 * While they play, neither is seeked to correct drift. At each loop both start again together. When paused, both show the same
 * frame, counted in frames of the faster video. Events: `change` (something must be painted again), `ended` (detail: side),
 * `moved`, `blocked` (detail: "sound" or "play").
 */

import { SIDES, bySide } from "../page/dom.js";

/** @typedef {Pick<Clip, "fps" | "duration_s">} Length duration and frame rate of a video */

const ENOUGH_TO_START = 4; // HAVE_ENOUGH_DATA, when `canplaythrough` is fired
const ENOUGH_TO_CONTINUE = 3; // HAVE_FUTURE_DATA
const HAVE_METADATA = 1;
const USUAL_FPS = 25;
/** Part of a frame. Closer to the frame's edge than this, rounding could show the neighbouring frame. */
const EDGE = 0.2;
/** Rounding error of clocks and containers, in frames. */
const ROUNDING = 1e-3;
const READINESS_EVENTS = ["waiting", "stalled", "canplay", "canplaythrough", "loadeddata", "seeked", "emptied", "durationchange"];

export class PairedPlayer extends EventTarget {
  /** The elements that play. Before the first pair they are not on the page. @type {BySide<HTMLVideoElement>} */
  videos = bySide(() => document.createElement("video"));
  /** Whether there is a pair. */
  #hasPair = false;
  /** @type {Side | "both"} */
  selection = "both";
  rate = 1;
  loop = true;
  /** @type {Side | "off"} */
  sound = "off";
  wanted = false; // whether the person wants the videos to play
  running = false; // whether the videos play
  /** @type {BySide<Length>} */
  #clips = bySide(() => ({ fps: 0, duration_s: 0 }));
  /** The frame that both show while paused; null while they play or wait in the middle of playing. */
  #parked = /** @type {number | null} */ (0);
  /** Whether a side has reached its end and waits there for the other. */
  #over = { left: false, right: false };
  #listening = { left: new AbortController(), right: new AbortController() };

  /**
   * Use another pair of elements, with `{fps, duration_s}` of the clips by side.
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

  /** Use the new element of a side in `videos`, which is at the same position as the old one. @param {Side} side */
  replaced(side) {
    this.#listen(side);
    this.#apply();
    this.#update();
  }

  /** @param {Side} side */
  #listen(side) {
    this.#listening[side].abort();
    this.#listening[side] = new AbortController();
    const video = this.videos[side];
    const options = { signal: this.#listening[side].signal };
    for (const name of READINESS_EVENTS) video.addEventListener(name, () => this.#update(), options);
    video.addEventListener("loadedmetadata", () => this.#join(side), options);
    video.addEventListener("ended", () => this.#ended(side), options);
    video.addEventListener("pause", () => this.#pausedFromOutside(side), options);
    video.addEventListener("play", () => this.#startedFromOutside(side), options);
  }

  // --- Position -----------------------------------------------------------------------------------

  get chosen() {
    return SIDES.filter((side) => this.selection === "both" || this.selection === side);
  }

  /** Return the duration of a side's picture in seconds, or 0 if unknown. Its sound may be a little longer. @param {Side} side */
  #length(side) {
    const [stated, found] = [this.#clips[side].duration_s, this.videos[side].duration];
    if (!Number.isFinite(found)) return stated || 0;
    return stated ? Math.min(stated, found) : found;
  }

  /** Duration in seconds of the longer selected video. */
  get duration() {
    return this.#hasPair ? Math.max(...this.chosen.map((side) => this.#length(side))) : 0;
  }

  /** Seconds from the beginning. While paused, the beginning of the frame. */
  get position() {
    if (!this.#hasPair) return 0;
    return this.#parked === null ? Math.min(this.videos[this.#leader()].currentTime, this.duration) : this.#parked / this.fps;
  }

  /** Return the side of the longer video, whose position is the position of the pair. */
  #leader() {
    return this.chosen.reduce((longest, side) => (this.#length(side) > this.#length(longest) ? side : longest));
  }

  /** @param {Side} side */
  #fpsOf(side) {
    return this.#clips[side].fps || USUAL_FPS;
  }

  /** Frames per second of the faster clip. A step is one of its frames. */
  get fps() {
    return Math.max(...SIDES.map((side) => this.#fpsOf(side)));
  }

  /** Number of the visible frame, from 0. */
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
    return this.#over[side] || video.readyState >= (this.running ? ENOUGH_TO_CONTINUE : ENOUGH_TO_START);
  }

  /** Return whether a side has reached its end and waits there for the other. @param {Side} side */
  isOver(side) {
    return this.#over[side];
  }

  // --- Controls ----------------------------------------------------------------------------------

  play() {
    if (!this.#hasPair) return;
    this.wanted = true;
    if (this.duration && this.frame === this.lastFrame) this.#goTo(0);
    else this.#update();
  }

  /** Pause, and show the same frame of both. */
  pause() {
    if (!this.wanted && !this.running) return;
    this.step(0);
  }

  toggle() {
    if (this.wanted) this.pause();
    else this.play();
  }

  /** Pause, then step by frames of the faster video. @param {number} frames */
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

  /** Move both to a frame. If they play, they continue from there. @param {number} frame */
  toFrame(frame) {
    if (this.#hasPair) this.#goTo(frame);
  }

  /** Select which videos play. Selecting both moves them to the same position. @param {Side | "both"} selection */
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

  /** Turn on the sound of one side, or turn it off. @param {Side | "off"} sound */
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
    this.#update();
  }

  /** Move a side to the pair's frame. A shorter video stays on its last frame. @param {Side} side */
  #seek(side) {
    const video = this.videos[side];
    const time = this.#parked ? (this.#parked + 0.5) / this.fps : 0; // at 0 there is no earlier frame that rounding could show
    const length = this.#length(side);
    this.#over[side] = length > 0 && time >= length;
    if (video.readyState < HAVE_METADATA) return; // `#join` moves it after its metadata have loaded
    const target = this.#amidFrame(side, time);
    if (video.seeking || Math.abs(video.currentTime - target) > 1e-4) video.currentTime = target;
  }

  /**
   * Return `time`, or the nearest time at which rounding cannot show a neighbouring frame of this side.
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

  /** Move a side that has loaded later to the pair's position. @param {Side} side */
  #join(side) {
    if (this.#parked) this.#seek(side);
    this.#update();
  }

  /** Start both videos if the person wants it and they are ready; otherwise stop both. */
  #update() {
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
   * Handle a browser that refuses to play before the person has done something. Without sound it may still play.
   *
   * @param {Error} error
   * @param {boolean} muted
   */
  #refusedToPlay(error, muted) {
    if (error.name !== "NotAllowedError" || !this.wanted) return; // AbortError: a pause came first
    if (muted) this.pause();
    else this.setSound("off");
    this.dispatchEvent(new CustomEvent("blocked", { detail: muted ? "play" : "sound" }));
    this.#update();
  }

  /** Pause both if a media key or the system has paused one of them. @param {Side} side */
  #pausedFromOutside(side) {
    const video = this.videos[side];
    if (this.running && this.chosen.includes(side) && video.paused && !video.ended) this.pause();
  }

  /** Pause a video that something other than this class has started. @param {Side} side */
  #startedFromOutside(side) {
    if (!this.running || !this.chosen.includes(side)) this.videos[side].pause();
  }

  /** @param {Side} side */
  #ended(side) {
    if (!this.videos[side].ended) return; // it has been moved in the meantime
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
