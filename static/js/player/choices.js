/** Settings that stay from pair to pair until the person changes them: speed, sound and loop. */

import { one, onAction } from "../page/dom.js";

const speeds = one("select[data-speed]");
const sounds = one("select[data-sound]");
const loopButton = one('[data-action="loop"]');

/** @typedef {{ speed: number, sound: Side | "off", loop: boolean }} Chosen */

export class Choices {
  #paired;
  #isQuiet;
  #isHidden;
  #onChange;
  /** @type {Chosen} */
  #chosen;

  /**
   * @param {import("./paired_player.js").PairedPlayer} paired
   * @param {object} outside
   * @param {(side: Side) => boolean} outside.isQuiet whether the chosen sound stays off because its video is filtered
   * @param {() => boolean} outside.isHidden whether both videos are hidden and therefore silent
   * @param {Partial<Chosen>} outside.chosen what the person chose before
   * @param {(chosen: Chosen) => void} outside.onChange stores the choices
   */
  constructor(paired, { isQuiet, isHidden, chosen: { speed, sound, loop = true }, onChange }) {
    this.#paired = paired;
    this.#isQuiet = isQuiet;
    this.#isHidden = isHidden;
    this.#onChange = onChange;
    this.#chosen = {
      speed: isOffered(speeds, speed) ? Number(speed) : 1,
      sound: sound && isOffered(sounds, sound) ? sound : "off",
      loop,
    };
    Object.assign(paired, { rate: this.#chosen.speed, loop });
    onAction("loop", () => this.toggleLoop());
    speeds.addEventListener("change", () => this.setSpeed(Number(speeds.value)));
    sounds.addEventListener("change", () => this.setSound(/** @type {Side | "off"} */ (sounds.value)));
  }

  /**
   * Turn the chosen sound on, for a new pair or after a filter was removed. A video that is not revealed stays silent, unless
   * the person chooses its sound for this pair.
   */
  restoreSound() {
    const { sound } = this.#chosen;
    if (sound !== "off" && this.#paired.sound === "off" && !this.#isHidden() && !this.#isQuiet(sound)) this.#paired.setSound(sound);
  }

  /** @param {number} speed */
  setSpeed(speed) {
    this.#choose({ speed });
    this.#paired.setRate(speed);
  }

  /** @param {Side | "off"} sound */
  setSound(sound) {
    if (this.#isHidden()) {
      this.paint();
      return;
    }
    this.#choose({ sound });
    this.#paired.setSound(sound);
  }

  toggleLoop() {
    this.#choose({ loop: !this.#paired.loop });
    this.#paired.setLoop(this.#chosen.loop);
  }

  /** Select the next speed, or the previous one with -1. @param {1 | -1} step */
  nextSpeed(step) {
    this.setSpeed(Number(neighbour(speeds, step)));
  }

  /** Select the next sound in the order off, left, right; in reverse with -1. @param {1 | -1} step */
  nextSound(step) {
    this.setSound(/** @type {Side | "off"} */ (neighbour(sounds, step)));
  }

  /** @param {Partial<Chosen>} choice */
  #choose(choice) {
    Object.assign(this.#chosen, choice);
    this.#onChange({ ...this.#chosen });
  }

  paint() {
    speeds.value = String(this.#paired.rate);
    sounds.value = this.#paired.sound;
    loopButton.setAttribute("aria-pressed", String(this.#paired.loop));
  }
}

/** @param {HTMLSelectElement} select @param {unknown} value */
const isOffered = (select, value) => [...select.options].some((option) => option.value === String(value));

/** Return the value next to the selected one, cyclically. @param {HTMLSelectElement} select @param {1 | -1} step */
const neighbour = ({ options, selectedIndex }, step) => options[(selectedIndex + step + options.length) % options.length].value;
