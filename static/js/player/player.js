/** The player on the page: two screens with captions, one control bar, and the next pair, loaded in advance. */

import { anyOpen, onDialogOpen } from "../page/dialogs.js";
import { SIDES, all, around, bySide, given, one, onAction, say } from "../page/dom.js";
import { showPassing } from "../page/status.js";
import { Care } from "./care.js";
import { Choices } from "./choices.js";
import { PairedPlayer } from "./paired_player.js";
import { bindFullScreen, isFullScreen, leaveFullScreen } from "./full_screen.js";
import { ClipLoader } from "./clip_loader.js";
import { Visibility } from "./visibility.js";
import { ContentFilter } from "./content_filter.js";
import { FASTEST_WATCHED, Viewing } from "./viewing.js";

const section = one("[data-player]");
const screens = bySide((side) => one(`[data-screen="${side}"]`));
const captions = bySide((side) => one(`[data-caption="${side}"]`));
const slots = [0, 1].map((index) => bySide((side) => all("video", screens[side])[index]));
const scrub = one("input[data-scrub]");
const time = one("[data-time]");
const playButton = one('button[data-action="play"]');
/** @type {Record<Api.VideoKey, Api.VideoKey>} */
const OTHER = { video_0: "video_1", video_1: "video_0" };

/** @typedef {Pick<Api.Assignment, "id" | "left"> & Partial<Api.Assignment>} Pair fields of a pair that the player needs */

export class Player {
  paired = new PairedPlayer();
  viewing = new Viewing();
  contentFilter = new ContentFilter();
  hidden = false;
  #care;
  #visibility = new Visibility();
  /** @type {ClipLoader | null} */
  #loader = null;
  /** @type {ClipLoader | null} */
  #nextLoader = null;
  /** @type {ClipLoader | null} */
  #oldLoader = null;
  #onExpired;
  #onPlay;
  choices;

  /**
   * `onExpired(loader)` renews addresses. `onPlay()` is called when the person plays a pair. `idleMs()` returns for how long the
   * person has done nothing, `today()` the date. `chosen` are the person's earlier choices. `onChoice(chosen)` is called when
   * they change a choice.
   *
   * @param {object} outside
   * @param {(loader: ClipLoader) => Promise<boolean>} outside.onExpired
   * @param {() => void} outside.onPlay
   * @param {() => number} outside.idleMs
   * @param {() => string} [outside.today]
   * @param {Partial<import("./choices.js").Chosen>} [outside.chosen]
   * @param {(chosen: import("./choices.js").Chosen) => void} [outside.onChoice]
   */
  constructor({ onExpired, onPlay, idleMs, today = () => "", chosen = {}, onChoice = () => {} }) {
    this.#onExpired = onExpired;
    this.#onPlay = onPlay;
    this.#care = new Care(idleMs, today);
    const isQuiet = (/** @type {Side} */ side) => this.contentFilter.isFiltered(side);
    this.choices = new Choices(this.paired, { isQuiet, isHidden: () => this.hidden, chosen, onChange: onChoice });
    this.paired.addEventListener("change", () => this.#paint());
    this.paired.addEventListener("moved", () => this.viewing.moved());
    this.#onDetail("ended", (side) => this.#ended(/** @type {Side} */ (side)));
    this.#onDetail("blocked", (detail) => showPassing(say(detail === "sound" ? "sound_blocked" : "play_blocked"), "warn"));
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.paired.pause(); });
    bindFullScreen();
    onDialogOpen(() => { this.paired.pause(); leaveFullScreen(); });
    this.#bind();
    const frame = () => { this.#sample(); requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
  }

  /**
   * Listen to an event of the two videos that has a detail.
   *
   * @param {string} name
   * @param {(detail: string) => void} run
   */
  #onDetail(name, run) {
    this.paired.addEventListener(name, (event) => { if (event instanceof CustomEvent) run(event.detail); });
  }

  /**
   * Show a pair. Use the pair that is loaded in advance if it is the same one; otherwise load it. `before` has what was
   * reported about the pair before, with `viewing` by side.
   *
   * @param {Pair} assignment
   * @param {BySide<Clip>} clips
   * @param {object} [before]
   * @param {boolean} [before.hidden]
   * @param {EarlierViewing} [before.viewing]
   * @param {Api.Care} [before.care]
   */
  show(assignment, clips, { hidden = false, viewing = undefined, care = undefined } = {}) {
    const { id } = assignment;
    const prepared = this.#nextLoader?.id === id ? this.#nextLoader : null;
    this.#disposeOld();
    if (prepared) {
      this.#oldLoader = this.#loader;
    } else {
      this.#nextLoader?.dispose();
      this.#loader?.dispose();
    }
    this.#nextLoader = null;
    this.#loader = prepared ?? this.#load(id, slots[0], clips);
    this.viewing.reset(clips, viewing);
    this.#care.reset((side) => videoOn(assignment, side), care, viewing?.presentation);
    this.contentFilter.begin(assignment);
    this.hide(hidden, { counts: false });
    this.#activate(this.#loader.videos);
    this.#loader.comeInSight();
    this.paired.adopt(this.#loader.videos, this.#loader.clips);
    this.choices.restoreSound();
    one("[data-identical]").hidden = !assignment.identical;
    if (this.#oldLoader) requestAnimationFrame(() => setTimeout(() => this.#disposeOld()));
  }

  /** Load the next pair in advance. @param {number} id @param {BySide<Clip>} clips */
  prepare(id, clips) {
    if (this.#nextLoader?.id === id) return;
    this.#disposeOld();
    this.#nextLoader?.dispose();
    this.#nextLoader = this.#load(id, slots[this.#loader?.videos === slots[0] ? 1 : 0], clips);
  }

  /** Show no pair, and release all memory. */
  empty() {
    this.#disposeOld();
    this.#nextLoader?.dispose();
    this.#loader?.dispose();
    this.#nextLoader = this.#loader = null;
  }

  /** Release the memory of the previous pair, after the next one has been painted. */
  #disposeOld() {
    this.#oldLoader?.dispose();
    this.#oldLoader = null;
  }

  /** @param {number} id @param {BySide<HTMLVideoElement>} videos @param {BySide<Clip>} clips */
  #load(id, videos, clips) {
    return new ClipLoader(id, videos, clips, {
      onChange: () => this.#paint(),
      onExpired: this.#onExpired,
      onReplaced: (side) => { if (this.paired.videos === videos) this.paired.replaced(side); },
    });
  }

  /** @param {BySide<HTMLVideoElement>} videos */
  #activate(videos) {
    for (const slot of slots) {
      for (const side of SIDES) {
        const active = slot === videos;
        slot[side].toggleAttribute("data-active", active);
        slot[side].inert = !active;
        if (active) slot[side].removeAttribute("aria-hidden");
        else slot[side].setAttribute("aria-hidden", "true");
      }
    }
  }

  /**
   * Hide both videos, or show them again with their filter. Hiding also pauses, mutes and filters them, and leaves full screen.
   * A hide `counts` as a sign of distress only if the person did nothing but hide the videos.
   *
   * @param {boolean} hidden
   * @param {{ counts: boolean }} options
   */
  hide(hidden, { counts }) {
    if (hidden && !this.hidden && counts) this.#care.hid();
    this.hidden = hidden;
    section.toggleAttribute("data-hidden", hidden);
    for (const cover of all("[data-cover]")) cover.hidden = !hidden;
    if (hidden) {
      leaveFullScreen();
      this.contentFilter.filterBoth();
      this.paired.pause();
      this.paired.setSound("off");
    } else if (this.paired.videos === this.#loader?.videos) {
      this.choices.restoreSound();
    }
    this.#paint();
  }

  toggle() {
    if (this.paired.wanted) this.paired.pause();
    else this.play();
  }

  play() {
    if (this.hidden || !this.#loader || anyOpen()) return;
    this.#onPlay();
    this.contentFilter.dismissWarning();
    this.paired.play();
  }

  /** Start the pair automatically, for people who chose that. A pair that may show harm does not start. */
  startByItself() {
    if (this.contentFilter.warning === "none") this.play();
  }

  /** Remove the filter from the selected videos, or put it on both again. */
  toggleFilter() {
    if (this.hidden || !this.#loader) return;
    this.contentFilter.toggle(this.paired.chosen);
    this.choices.restoreSound();
  }

  /**
   * Return how the pair was watched and presented. `videoOn(side)` returns the key of each video.
   *
   * @param {VideoOn} videoOn
   */
  report(videoOn) {
    const report = this.viewing.report(videoOn, screens, this.paired.videos);
    const { filter, warning } = this.contentFilter;
    Object.assign(report.presentation, { filter, warning }, filter === "none" ? {} : this.#care.presentation(videoOn));
    return report;
  }

  /** Whether the pair is blurred and at least one of its videos was never revealed. */
  get isUnrevealed() {
    return this.contentFilter.filter === "blur" && SIDES.some((side) => !this.#care.wasRevealed(side));
  }

  /** Return the person's exposure to the pair. It is never part of the answers. @param {VideoOn} videoOn */
  care(videoOn) {
    return this.#care.report(videoOn);
  }

  #sample() {
    const { videos } = this.paired;
    if (this.#loader?.videos !== videos) return;
    const inSight = this.hidden || !document.body.dataset.assignment ? [] : SIDES;
    this.#care.sample(inSight.filter((side) => videos[side].readyState >= 2), (side) => this.contentFilter.isFiltered(side));
    if (!this.paired.running) return;
    const playing = this.paired.chosen.filter((side) => !videos[side].paused);
    const { rate, sound: audible } = this.paired;
    const how = { rate, sound: audible, fullScreen: isFullScreen(), isSeen: (/** @type {Side} */ side) => this.#isSeen(side) };
    if (this.viewing.sample(videos, playing, how)) this.#paint();
    else this.#paintTime();
  }

  /** @param {Side} side */
  #ended(side) {
    this.viewing.ended(side, this.paired.videos[side], { rate: this.paired.rate, isSeen: () => this.#isSeen(side) });
  }

  /** Return whether the person can see the content of a video: in greyscale yes, blurred no. @param {Side} side */
  #isSeen(side) {
    return !this.hidden && !this.#isBlurred(side) && !anyOpen() && this.#visibility.isVisible(side);
  }

  /** @param {Side} side */
  #isBlurred(side) {
    return this.contentFilter.filter === "blur" && this.contentFilter.isFiltered(side);
  }

  /**
   * Return what the person must change before a side can count as watched: "blurred", "fast", or "" for nothing.
   *
   * @param {Side} side
   */
  obstacle(side) {
    if (this.#isBlurred(side)) return "blurred";
    return this.paired.rate > FASTEST_WATCHED ? "fast" : "";
  }

  #bind() {
    onAction("play", () => this.toggle());
    onAction("back", () => this.paired.step(-1));
    onAction("forward", () => this.paired.step(1));
    onAction("reveal", (button) => {
      this.hide(false, { counts: false });
      leave(button);
    });
    onAction("unveil", (button) => {
      this.contentFilter.reveal(sideOf(button));
      this.choices.restoreSound();
      leave(button);
    });
    onAction("veil", () => this.toggleFilter());
    onAction("reload", (button) => this.#loader?.retry(sideOf(button)));
    for (const button of all("[data-select]")) {
      button.addEventListener("click", () => this.paired.select(/** @type {Side | "both"} */ (button.dataset.select)));
    }
    for (const side of SIDES) {
      screens[side].addEventListener("click", (event) => { if (!around(event, "button")) this.toggle(); });
    }
    scrub.addEventListener("input", () => this.paired.toFrame(Number(scrub.value)));
  }

  #paint() {
    const { paired } = this;
    const loader = this.#loader;
    if (loader?.videos !== paired.videos) return;
    section.toggleAttribute("data-playing", paired.wanted);
    playButton.setAttribute("aria-pressed", String(paired.wanted));
    playButton.setAttribute("aria-label", say(paired.wanted ? "pause" : "play"));
    for (const button of all("[data-select]")) {
      button.setAttribute("aria-pressed", String(button.dataset.select === paired.selection));
    }
    this.choices.paint();
    for (const side of SIDES) {
      const caption = this.#caption(side, loader);
      if (captions[side].textContent !== caption) captions[side].textContent = caption;
      one(`[data-failed="${side}"]`).hidden = this.hidden || loader.state[side] !== "failed";
    }
    this.#paintTime();
  }

  /** @param {Side} side @param {ClipLoader} loader */
  #caption(side, loader) {
    const words = [this.#state(side, loader)];
    if (this.viewing.seen(side)) words.push(say("caption_seen"));
    return words.join(" · ");
  }

  /** @param {Side} side @param {ClipLoader} loader */
  #state(side, loader) {
    const { paired } = this;
    const state = loader.state[side];
    if (this.hidden) return say("caption_hidden");
    if (state === "failed") return say("caption_failed");
    if (state === "loading" || state === "large") {
      const n = loader.percent[side];
      return n === null ? say("caption_loading") : say("caption_percent", { n });
    }
    if (paired.isOver(side)) return say("caption_ended");
    if (!paired.chosen.includes(side)) return say("caption_paused");
    if (paired.running) return say("caption_playing");
    if (paired.wanted) return say(paired.isReady(side) ? "caption_waiting" : "caption_loading");
    return say(paired.frame > 0 ? "caption_paused" : "caption_ready");
  }

  #paintTime() {
    const { position, duration } = this.paired;
    const [at, length] = [position.toFixed(2), duration.toFixed(2)];
    scrub.max = String(this.paired.lastFrame || 1);
    if (!scrub.matches(":active")) scrub.value = String(this.paired.frame);
    scrub.setAttribute("aria-valuetext", say("position", { at, all: length }));
    time.textContent = `${at} / ${length}`;
  }
}

/** Move the focus from a button that disappears after a press to its screen. @param {HTMLElement} button */
function leave(button) {
  const focused = document.activeElement;
  if (focused === button || focused === document.body) screens[sideOf(button)].focus({ preventScroll: true });
}

/** Return the side that a button is for. @param {HTMLElement} button */
const sideOf = (button) => /** @type {Side} */ (given(button, "for"));

/** @param {Pair} assignment @param {Side} side @returns {Api.VideoKey} */
const videoOn = (assignment, side) => (side === "left" ? assignment.left : OTHER[assignment.left]);
