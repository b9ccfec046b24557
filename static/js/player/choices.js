/** What a person chooses once and keeps from pair to pair until they choose anew: speed, sound and loop. */

import { one, onAction } from "../page/dom.js";

const speeds = one("select[data-speed]");
const sounds = one("select[data-sound]");
const loopButton = one('[data-action="loop"]');

/** @typedef {{ speed: number, sound: Side | "off", loop: boolean }} Chosen */

export class Choices {
  #duo;
  #isQuiet;
  #isHidden;
  #onChange;
  /** @type {Chosen} */
  #chosen;

  /**
   * @param {import("./duo.js").Duo} duo
   * @param {object} outside
   * @param {(side: Side) => boolean} outside.isQuiet whether a sound that was chosen before stays off: its video is filtered
   * @param {() => boolean} outside.isHidden whether both videos are hidden, and are not to be heard
   * @param {Partial<Chosen>} outside.chosen what the person chose before
   * @param {(chosen: Chosen) => void} outside.onChange keeps what they choose
   */
  constructor(duo, { isQuiet, isHidden, chosen: { speed, sound, loop = true }, onChange }) {
    this.#duo = duo;
    this.#isQuiet = isQuiet;
    this.#isHidden = isHidden;
    this.#onChange = onChange;
    this.#chosen = {
      speed: isOffered(speeds, speed) ? Number(speed) : 1,
      sound: sound && isOffered(sounds, sound) ? sound : "off",
      loop,
    };
    Object.assign(duo, { rate: this.#chosen.speed, loop });
    onAction("loop", () => this.turnLoop());
    speeds.addEventListener("change", () => this.setSpeed(Number(speeds.value)));
    sounds.addEventListener("change", () => this.setSound(/** @type {Side | "off"} */ (sounds.value)));
  }

  /**
   * Turns the chosen sound on, for another pair or when a filter is gone. What nobody has revealed is not heard either, unless
   * the person chooses its sound on this very pair.
   */
  letSoundOn() {
    const { sound } = this.#chosen;
    if (sound !== "off" && this.#duo.sound === "off" && !this.#isHidden() && !this.#isQuiet(sound)) this.#duo.setSound(sound);
  }

  /** @param {number} speed */
  setSpeed(speed) {
    this.#choose({ speed });
    this.#duo.setRate(speed);
  }

  /** @param {Side | "off"} sound */
  setSound(sound) {
    if (this.#isHidden()) {
      this.paint();
      return;
    }
    this.#choose({ sound });
    this.#duo.setSound(sound);
  }

  turnLoop() {
    this.#choose({ loop: !this.#duo.loop });
    this.#duo.setLoop(this.#chosen.loop);
  }

  /** To the next speed that is offered, or with -1 to the one before. @param {1 | -1} step */
  nextSpeed(step) {
    this.setSpeed(Number(beside(speeds, step)));
  }

  /** From no sound to the left video's, then to the right one's; with -1 the other way round. @param {1 | -1} step */
  nextSound(step) {
    this.setSound(/** @type {Side | "off"} */ (beside(sounds, step)));
  }

  /** @param {Partial<Chosen>} choice */
  #choose(choice) {
    Object.assign(this.#chosen, choice);
    this.#onChange({ ...this.#chosen });
  }

  paint() {
    speeds.value = String(this.#duo.rate);
    sounds.value = this.#duo.sound;
    loopButton.setAttribute("aria-pressed", String(this.#duo.loop));
  }
}

/** @param {HTMLSelectElement} select @param {unknown} value */
const isOffered = (select, value) => [...select.options].some((option) => option.value === String(value));

/** The value beside the selected one, round the ends. @param {HTMLSelectElement} select @param {1 | -1} step */
const beside = ({ options, selectedIndex }, step) => options[(selectedIndex + step + options.length) % options.length].value;
