/**
 * The clips of one pair, loaded into two video elements: fetched whole up to 24 MB, so that playing and stepping
 * never wait for the network; larger ones stream. Loads of all reels stand in one line, one clip at a time.
 */

import { SIDES } from "../workspace/dom.js";

const MOST_BYTES = 24 * 1024 * 1024;
const RETRIES_MS = [600, 2000];

class AddressExpired extends Error {}
class NotThere extends Error {}

let line = Promise.resolve();

/** Runs `load` after everything that is in line before it. */
function inLine(load) {
  line = line.then(load, load);
  return line;
}

export class Reel {
  state = { left: "loading", right: "loading" }; // loading | ready | streaming | failed
  percent = { left: null, right: null };
  #given = new AbortController();
  #addresses = {};
  #objectUrls = {};
  #onChange;
  #onExpired;

  /**
   * `clips`: `{playback_url, poster_url, fps}` by side. `onExpired(reel)` fetches fresh addresses and gives them to
   * `readdress`; it answers whether that worked.
   */
  constructor(id, videos, clips, { onChange, onExpired }) {
    Object.assign(this, { id, videos });
    this.#onChange = onChange;
    this.#onExpired = onExpired;
    this.readdress(clips);
    for (const side of SIDES) {
      videos[side].addEventListener("error", () => this.#broke(side), { signal: this.#given.signal });
      inLine(() => this.#load(side));
    }
  }

  readdress(clips) {
    this.clips = clips;
    for (const side of SIDES) this.#addresses[side] = clips[side].playback_url;
  }

  get fps() {
    return { left: this.clips.left.fps, right: this.clips.right.fps };
  }

  /** Still pictures for what is not loaded yet; only for a pair in sight. */
  showPosters() {
    for (const side of SIDES) {
      if (this.videos[side].readyState < 2) this.videos[side].poster = this.clips[side].poster_url;
    }
  }

  /** Loads a failed clip again. */
  retry(side) {
    if (this.state[side] !== "failed") return;
    this.#set(side, "loading");
    inLine(() => this.#load(side));
  }

  /** Ends all loading and gives the memory back. */
  dispose() {
    this.#given.abort();
    for (const side of SIDES) {
      const video = this.videos[side];
      video.pause();
      video.removeAttribute("src");
      video.removeAttribute("poster");
      video.load();
      this.#revoke(side);
    }
  }

  async #load(side) {
    for (let attempt = 0, renewed = false; !this.#given.signal.aborted; attempt += 1) {
      try {
        return await this.#fetch(side);
      } catch (error) {
        if (this.#given.signal.aborted) return undefined;
        const expired = error instanceof AddressExpired;
        if (expired && !renewed) {
          renewed = true;
          if (await this.#onExpired(this).catch(() => false)) continue;
        }
        if (expired || error instanceof NotThere || attempt >= RETRIES_MS.length) return this.#set(side, "failed");
        await new Promise((resolve) => setTimeout(resolve, RETRIES_MS[attempt]));
      }
    }
    return undefined;
  }

  async #fetch(side) {
    const response = await fetch(this.#addresses[side], { credentials: "same-origin", signal: this.#given.signal });
    if (response.status === 410 || response.status === 403) throw new AddressExpired();
    if (response.status === 404) throw new NotThere();
    if (!response.ok) throw new Error(`${response.status}`);
    const size = Number(response.headers.get("Content-Length"));
    if (size > MOST_BYTES) {
      await response.body.cancel();
      this.videos[side].src = this.#addresses[side];
      return this.#set(side, "streaming");
    }
    const blob = await this.#whole(response, side, size);
    if (this.#given.signal.aborted) return undefined;
    this.#revoke(side);
    this.#objectUrls[side] = URL.createObjectURL(blob);
    this.videos[side].src = this.#objectUrls[side];
    return this.#set(side, "ready");
  }

  async #whole(response, side, size) {
    const chunks = [];
    let got = 0;
    for (const reader = response.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      got += value.length;
      const percent = size ? Math.floor((100 * got) / size) : null;
      if (percent !== null && percent >= (this.percent[side] ?? 0) + 10) this.#progress(side, percent);
    }
    return new Blob(chunks, { type: "video/mp4" });
  }

  #progress(side, percent) {
    this.percent[side] = percent;
    this.#onChange(this);
  }

  /** The element cannot play what it has: a streamed address that expired is renewed once, anything else failed. */
  async #broke(side) {
    const video = this.videos[side];
    if (!video.getAttribute("src")) return;
    const streamed = this.state[side] === "streaming";
    const place = video.currentTime;
    if (!streamed || !(await this.#onExpired(this).catch(() => false))) {
      this.#set(side, "failed");
      return;
    }
    video.src = this.#addresses[side];
    video.currentTime = place;
  }

  #revoke(side) {
    if (this.#objectUrls[side]) URL.revokeObjectURL(this.#objectUrls[side]);
    delete this.#objectUrls[side];
  }

  #set(side, state) {
    this.state[side] = state;
    this.percent[side] = null;
    this.#onChange(this);
  }
}
