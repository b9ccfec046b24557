/** A long text in sections, with a table of contents that marks the section being read. */

import { all, around, find, one, say } from "../page/dom.js";

/** A section counts as the one being read once its heading is within this many pixels of the top. */
const READING_LINE_PX = 48;

export class Contents {
  #text;
  #list;
  #onLook;
  /** @type {string | null} */
  #wanted = null;
  /** The key of the section that is being read. @type {string | null} */
  current = null;

  /**
   * `root` contains the elements for the text and the contents. `onLook(key)` is called when the reader reaches another section.
   *
   * @param {HTMLElement} root
   * @param {(key: string | null) => void} onLook
   */
  constructor(root, onLook) {
    this.#text = one("[data-guide-text]", root);
    this.#list = one("[data-guide-contents]", root);
    this.#onLook = onLook;
    this.#text.addEventListener("scroll", () => this.#follow(), { passive: true });
    for (const name of ["wheel", "touchmove", "keydown", "pointerdown"]) {
      this.#text.addEventListener(name, () => { this.#wanted = null; }, { passive: true });
    }
    this.#list.addEventListener("click", (event) => {
      const link = around(event, "a");
      if (!link) return;
      event.preventDefault(); // the address is the pair's, not the guideline's
      this.open(link.dataset.section ?? null, true);
    });
  }

  /**
   * Show the sections and open one of them. With null, open the beginning.
   *
   * @param {Api.Section[]} sections
   * @param {string | null} key
   * @param {boolean} takesFocus
   */
  show(sections, key, takesFocus) {
    this.#text.replaceChildren(...sections.map(sectionOf));
    const items = sections.filter(({ title }) => title).map(itemOf);
    const list = document.createElement("ol");
    list.append(...items);
    this.#list.replaceChildren(list);
    this.#list.hidden = items.length < 2;
    this.current = null;
    this.open(sections.some((section) => section.key === key) ? key : null, takesFocus);
  }

  /** @param {string | null} key @param {boolean} takesFocus */
  open(key, takesFocus) {
    const section = this.#sections.find((part) => part.dataset.section === key);
    this.#wanted = section ? key : null;
    this.#text.scrollTop = section ? section.offsetTop : 0;
    if (takesFocus) (find("h3, h4", section ?? this.#text) ?? this.#text).focus({ preventScroll: true });
    this.#look(section ? key : (this.#sections[0]?.dataset.section ?? null));
  }

  get #sections() {
    return all("section[data-section]", this.#text);
  }

  /** Find the section being read: the one that was asked for, or the last one whose heading has passed the reading line. */
  #follow() {
    const line = this.#text.scrollTop + READING_LINE_PX;
    const passed = this.#sections.filter((section) => section.offsetTop <= line);
    const reading = (passed.at(-1) ?? this.#sections[0])?.dataset.section ?? null;
    this.#look(this.#wanted ?? reading);
  }

  /** @param {string | null} key */
  #look(key) {
    if (key === this.current) return;
    this.current = key;
    for (const link of all("a", this.#list)) {
      const here = link.dataset.section === key;
      if (!here) link.removeAttribute("aria-current");
      else {
        link.setAttribute("aria-current", "true");
        link.scrollIntoView({ block: "nearest" });
      }
    }
    this.#onLook(key);
  }
}

/** Return the element of one section. The server has cleaned its HTML. @param {Api.Section} section */
function sectionOf({ key, title, level, html, change }) {
  const section = document.createElement("section");
  section.dataset.section = key;
  section.dir = "auto";
  if (title) {
    const heading = document.createElement(level === 3 ? "h4" : "h3");
    heading.tabIndex = -1;
    heading.textContent = title;
    if (change) heading.append(" ", chip(change));
    section.append(heading);
  }
  section.insertAdjacentHTML("beforeend", html);
  return section;
}

/** @param {string} change */
function chip(change) {
  const mark = document.createElement("span");
  mark.className = "chip";
  mark.lang = document.documentElement.lang; // the text around it may be in another language
  mark.textContent = say(`guide_${change}`);
  return mark;
}

/** @param {Api.Section} section */
function itemOf({ key, title, level }) {
  const item = document.createElement("li");
  item.dataset.level = String(level);
  const link = document.createElement("a");
  link.href = `#${key}`;
  link.dataset.section = key;
  link.textContent = title;
  link.dir = "auto";
  item.append(link);
  return item;
}
