/** The player on the page: two screens with captions, one transport bar, and the pair that waits behind. */

import { SIDES, all, one, onAction, say } from "../workspace/dom.js";
import { passingWord } from "../workspace/status.js";
import { Duo } from "./duo.js";
import { Reel } from "./reel.js";
import { Viewing } from "./viewing.js";

const bySide = (find) => Object.fromEntries(SIDES.map((side) => [side, find(side)]));
const screens = bySide((side) => one(`[data-screen="${side}"]`));
const captions = bySide((side) => one(`[data-caption="${side}"]`));
const slots = [0, 1].map((index) => bySide((side) => all("video", screens[side])[index]));
const scrub = one("[data-scrub]");
const time = one("[data-time]");
const playButton = one('button[data-action="play"]');
const speed = one("[data-speed]");
const sound = one("[data-sound]");

export class Player {
  duo = new Duo();
  viewing = new Viewing();
  hidden = false;
  #reel = null;
  #waiting = null;
  #onExpired;
  #onPlay;

  /** `onExpired(reel)` renews addresses; `onPlay()` is called when the person first lets a pair play. */
  constructor({ onExpired, onPlay }) {
    this.#onExpired = onExpired;
    this.#onPlay = onPlay;
    this.viewing.reset();
    this.duo.addEventListener("change", () => this.#paint());
    this.duo.addEventListener("moved", () => { this.viewing.moved(); this.#paint(); });
    this.duo.addEventListener("ended", ({ detail: side }) => this.viewing.ended(side, this.duo.videos[side]));
    this.duo.addEventListener("blocked", () => passingWord(say("sound_blocked"), "warn"));
    this.#bind();
    const frame = () => { this.#sample(); requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
  }

  /** Shows a pair: the one that waits behind if it is that one, else loads it. `clips` by side. */
  show(id, clips, { hidden = false, earlier = undefined } = {}) {
    const waiting = this.#waiting?.id === id ? this.#waiting : null;
    const old = this.#reel;
    if (!waiting) {
      this.#waiting?.dispose();
      old?.dispose();
    }
    this.#waiting = null;
    this.#reel = waiting ?? this.#load(id, this.#freeSlot(null), clips);
    this.viewing.reset(earlier);
    this.hide(hidden);
    this.#activate(this.#reel.videos);
    if (waiting) old?.dispose();
    this.#reel.showPosters();
    this.duo.adopt(this.#reel.videos, this.#reel.fps);
    this.#paint();
  }

  /** Loads the following pair behind the screens. */
  prepare(id, clips) {
    if (this.#waiting?.id === id) return;
    this.#waiting?.dispose();
    this.#waiting = this.#load(id, this.#freeSlot(this.#reel.videos), clips);
  }

  /** Shows and keeps nothing. */
  empty() {
    this.#waiting?.dispose();
    this.#reel?.dispose();
    this.#waiting = this.#reel = null;
  }

  #load(id, videos, clips) {
    return new Reel(id, videos, clips, { onChange: () => this.#paint(), onExpired: this.#onExpired });
  }

  #freeSlot(taken) {
    return slots.find((slot) => slot !== taken);
  }

  #activate(videos) {
    for (const slot of slots) {
      for (const side of SIDES) {
        const active = slot === videos;
        slot[side].toggleAttribute("data-active", active);
        slot[side].inert = !active;
        if (active) slot[side].removeAttribute("aria-hidden");
        else slot[side].setAttribute("aria-hidden", "true");
        slot[side].setAttribute("aria-label", say(side));
      }
    }
  }

  /** Hides both (pausing and muting them), or shows them again. */
  hide(hidden) {
    this.hidden = hidden;
    one("[data-player]").toggleAttribute("data-hidden", hidden);
    for (const cover of all("[data-cover]")) cover.hidden = !hidden;
    if (hidden && this.duo.videos) {
      this.duo.pause();
      this.duo.setSound("off");
    }
    this.#paint();
  }

  play() {
    if (this.hidden || !this.#reel) return;
    this.#onPlay();
    this.duo.play();
  }

  toggle() {
    if (this.hidden || !this.#reel) return;
    if (!this.duo.wanted) this.#onPlay();
    this.duo.toggle();
  }

  report(videoOn) {
    return this.viewing.report(videoOn, screens, this.#reel.videos);
  }

  #sample() {
    if (!this.duo.running) return;
    const playing = this.duo.chosen.filter((side) => !this.duo.videos[side].paused);
    const became = this.viewing.sample(this.duo.videos, playing, { rate: this.duo.rate, sound: this.duo.sound });
    if (became) this.#paint();
    else this.#paintTime();
  }

  #bind() {
    onAction("play", () => this.toggle());
    onAction("back", () => this.duo.step(-1));
    onAction("forward", () => this.duo.step(1));
    onAction("loop", () => this.duo.setLoop(!this.duo.loop));
    onAction("reveal", () => this.hide(false));
    onAction("reload", (button) => this.#reel?.retry(button.dataset.for));
    for (const button of all("[data-select]")) button.addEventListener("click", () => this.duo.select(button.dataset.select));
    for (const side of SIDES) {
      screens[side].addEventListener("click", (event) => { if (!event.target.closest("button")) this.toggle(); });
    }
    speed.addEventListener("change", () => this.duo.setRate(Number(speed.value)));
    sound.addEventListener("change", () => this.duo.setSound(sound.value));
    scrub.addEventListener("input", () => this.duo.toFrame(Number(scrub.value)));
  }

  #paint() {
    if (!this.#reel || this.duo.videos !== this.#reel.videos) return;
    const { duo } = this;
    document.body.toggleAttribute("data-playing", duo.wanted);
    playButton.setAttribute("aria-pressed", String(duo.wanted));
    playButton.setAttribute("aria-label", say(duo.wanted ? "pause" : "play"));
    for (const button of all("[data-select]")) {
      button.setAttribute("aria-pressed", String(button.dataset.select === duo.selection));
    }
    one('[data-action="loop"]').setAttribute("aria-pressed", String(duo.loop));
    speed.value = String(duo.rate);
    sound.value = duo.sound;
    for (const side of SIDES) {
      captions[side].textContent = this.#caption(side);
      one(`[data-failed="${side}"]`).hidden = this.hidden || this.#reel.state[side] !== "failed";
    }
    this.#paintTime();
  }

  #caption(side) {
    const { duo } = this;
    const state = this.#reel.state[side];
    const words = [];
    if (this.hidden) words.push(say("caption_hidden"));
    else if (state === "failed") words.push(say("caption_failed"));
    else if (state === "loading") {
      const n = this.#reel.percent[side];
      words.push(n === null ? say("caption_loading") : say("caption_percent", { n }));
    } else if (duo.videos[side].ended) words.push(say("caption_ended"));
    else if (!duo.videos[side].paused) words.push(say("caption_playing"));
    else if (duo.wanted && duo.chosen.includes(side) && !duo.ready) {
      words.push(say(duo.isReady(side) ? "caption_waiting" : "caption_loading"));
    } else words.push(say(duo.position > 0 ? "caption_paused" : "caption_ready"));
    if (this.viewing.seen(side)) words.push(say("caption_seen"));
    return words.join(" · ");
  }

  #paintTime() {
    const { position, duration } = this.duo;
    const at = Math.min(position, duration).toFixed(2);
    const length = duration.toFixed(2);
    scrub.max = String(this.duo.lastFrame || 1);
    if (!scrub.matches(":active")) scrub.value = String(this.duo.frame);
    scrub.setAttribute("aria-valuetext", say("position", { at, all: length }));
    time.textContent = `${at} / ${length}`;
  }
}
