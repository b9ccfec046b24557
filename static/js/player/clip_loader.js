/**
 * Load the clips of one pair into two video elements. Clips up to 24 MB are fetched whole, so that playing and stepping never
 * wait for the network. Larger clips are streamed while their pair is visible, so that at most two elements stream.
 */

import { SIDES } from "../page/dom.js";
import { AddressExpired, NotThere, fetchClip } from "./fetching.js";
import { enqueueLoad } from "./load_queue.js";
import { replaceVideo } from "./replacement.js";

const RETRIES_MS = [600, 2000];

/**
 * @typedef {object} Events
 * @property {() => void} onChange
 * @property {(loader: ClipLoader) => Promise<boolean>} onExpired
 * @property {(side: Side) => void} onReplaced
 */

export class ClipLoader {
  /** @type {BySide<"loading" | "ready" | "large" | "streaming" | "failed">} */
  state = { left: "loading", right: "loading" };
  /** @type {BySide<number | null>} */
  percent = { left: null, right: null };
  inSight = false;
  #disposal = new AbortController();
  /** @type {Partial<BySide<string>>} */
  #objectUrls = {};
  #renewed = { left: false, right: false };
  #onChange;
  #onExpired;
  #onReplaced;

  /**
   * `clips` has `{playback_url, poster_url, duration_s, fps}` by side. `onExpired(loader)` fetches new addresses, passes them to
   * `readdress`, and returns whether that worked. `onReplaced(side)` is called after an element of `videos` was replaced.
   *
   * @param {number} id
   * @param {BySide<HTMLVideoElement>} videos
   * @param {BySide<Clip>} clips
   * @param {Events} events
   */
  constructor(id, videos, clips, { onChange, onExpired, onReplaced }) {
    this.id = id;
    this.videos = videos;
    this.clips = clips;
    this.#onChange = onChange;
    this.#onExpired = onExpired;
    this.#onReplaced = onReplaced;
    for (const side of SIDES) {
      this.#listen(side);
      this.#queue(side);
    }
    for (const name of ["online", "diptych:retry"]) {
      addEventListener(name, () => SIDES.forEach((side) => this.retry(side)), { signal: this.#disposal.signal });
    }
  }

  /** @param {Side} side */
  #listen(side) {
    const video = this.videos[side];
    const { signal } = this.#disposal;
    video.addEventListener("error", () => { if (video === this.videos[side]) this.#broke(side); }, { signal });
    video.addEventListener("canplay", () => { this.#renewed[side] = false; }, { signal });
    video.addEventListener("loadeddata", () => video.removeAttribute("poster"), { signal }); // else it stays until the video plays
  }

  /** @param {BySide<Clip>} clips */
  readdress(clips) {
    this.clips = clips;
  }

  /** Make this the visible pair: load it first, show still pictures until then, and stream clips that are too large. */
  comeInSight() {
    this.inSight = true;
    for (const side of SIDES) {
      if (this.videos[side].readyState < 2) this.videos[side].poster = this.clips[side].poster_url;
      if (this.state[side] === "large") this.#stream(side);
    }
  }

  /** Load a failed clip again. @param {Side} side */
  retry(side) {
    if (this.state[side] !== "failed") return;
    this.#set(side, "loading");
    this.#queue(side);
  }

  /** Stop all loading and release the memory. */
  dispose() {
    this.#disposal.abort();
    for (const side of SIDES) {
      const video = this.videos[side];
      video.pause();
      video.removeAttribute("src");
      video.removeAttribute("poster");
      video.load();
      this.#revoke(side);
    }
  }

  // --- Loading --------------------------------------------------------------------------------------

  /** @param {Side} side @param {number} [attempt] */
  #queue(side, attempt = 0) {
    enqueueLoad(() => this.#load(side, attempt), () => this.inSight);
  }

  /** @param {Side} side @param {number} attempt */
  async #load(side, attempt) {
    if (this.#disposal.signal.aborted) return;
    try {
      await this.#fetch(side);
    } catch (error) {
      if (!this.#disposal.signal.aborted) await this.#missed(side, attempt, error);
    }
  }

  /** @param {Side} side */
  async #fetch(side) {
    const clip = await fetchClip(this.clips[side].playback_url, {
      signal: this.#disposal.signal,
      priority: this.inSight ? "auto" : "low",
      onPercent: (percent) => this.#progress(side, percent),
    });
    if (this.#disposal.signal.aborted) return;
    if (clip) this.#hold(side, clip);
    else if (this.inSight) this.#stream(side);
    else this.#set(side, "large");
  }

  /** @param {Side} side @param {Blob} clip */
  #hold(side, clip) {
    this.#revoke(side);
    const address = URL.createObjectURL(clip);
    this.#objectUrls[side] = address;
    this.videos[side].src = address;
    this.#set(side, "ready");
  }

  /** @param {Side} side */
  #stream(side) {
    this.videos[side].src = this.clips[side].playback_url;
    this.#set(side, "streaming");
  }

  /**
   * Handle a failed load. Ask for a new address once. After a network failure try twice more, behind the other clips.
   *
   * @param {Side} side
   * @param {number} attempt
   * @param {unknown} error
   */
  async #missed(side, attempt, error) {
    const expired = error instanceof AddressExpired;
    if (expired && (await this.#renew(side))) this.#queue(side, attempt);
    else if (expired || error instanceof NotThere || attempt >= RETRIES_MS.length) this.#set(side, "failed");
    else setTimeout(() => this.#queue(side, attempt + 1), RETRIES_MS[attempt]);
  }

  /** Renew the addresses. Return whether that worked; false if they were already renewed without success. @param {Side} side */
  async #renew(side) {
    if (this.#renewed[side]) return false;
    this.#renewed[side] = true;
    return this.#onExpired(this).catch(() => false);
  }

  /** Handle an element that failed. A streamed clip continues from a new address at the same position. @param {Side} side */
  async #broke(side) {
    const video = this.videos[side];
    if (!video.getAttribute("src")) return;
    const position = video.currentTime;
    if (this.state[side] !== "streaming" || !(await this.#renew(side))) {
      this.#set(side, "failed");
      return;
    }
    if (this.#disposal.signal.aborted) return;
    replaceVideo(video, this.clips[side].playback_url, position, {
      signal: this.#disposal.signal,
      onPicture: (fresh) => this.#replace(side, fresh),
      onError: () => this.#set(side, "failed"),
    });
  }

  /** @param {Side} side @param {HTMLVideoElement} fresh */
  #replace(side, fresh) {
    this.videos[side] = fresh;
    this.#listen(side);
    this.#renewed[side] = false;
    this.#onReplaced(side);
  }

  /** @param {Side} side @param {number} percent */
  #progress(side, percent) {
    this.percent[side] = percent;
    this.#onChange();
  }

  /** @param {Side} side */
  #revoke(side) {
    const address = this.#objectUrls[side];
    if (address) URL.revokeObjectURL(address);
    delete this.#objectUrls[side];
  }

  /** @param {Side} side @param {ClipLoader["state"][Side]} state */
  #set(side, state) {
    this.state[side] = state;
    this.percent[side] = null;
    this.#onChange();
  }
}
