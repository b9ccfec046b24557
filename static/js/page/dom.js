/** Small helpers over the document, and the words that the template gives us. */

/** @type {readonly Side[]} */
export const SIDES = ["left", "right"];

/**
 * @template T
 * @param {(side: Side) => T} find
 * @returns {BySide<T>}
 */
export const bySide = (find) => ({ left: find("left"), right: find("right") });

/**
 * Return the first element that matches, or null. Its type is read from the selector's tag name.
 *
 * @template {string} S
 * @param {S} selector
 * @param {ParentNode} [root]
 * @returns {Selected<S> | null}
 */
export const find = (selector, root = document) => /** @type {any} */ (root.querySelector(selector));

/**
 * Return the first element that matches. Raises an Error if the page has none: its template and this script do not fit.
 *
 * @template {string} S
 * @param {S} selector
 * @param {ParentNode} [root]
 * @returns {Selected<S>}
 */
export function one(selector, root = document) {
  const found = find(selector, root);
  if (!found) throw new Error(`This page has no element that matches ${selector}.`);
  return found;
}

/**
 * @template {string} S
 * @param {S} selector
 * @param {ParentNode} [root]
 * @returns {Selected<S>[]}
 */
export const all = (selector, root = document) => /** @type {any} */ ([...root.querySelectorAll(selector)]);

/**
 * Return the element that matches, of an event's target and what lies around it, or null.
 *
 * @template {string} S
 * @param {Event} event
 * @param {S} selector
 * @returns {Selected<S> | null}
 */
export const around = ({ target }, selector) => /** @type {any} */ (target instanceof Element ? target.closest(selector) : null);

/**
 * Return the value of a `data-` attribute that the template always gives. Raises an Error if it is missing.
 *
 * @param {HTMLElement} element
 * @param {string} name in camel case, as in `dataset`
 * @returns {string}
 */
export function given(element, name) {
  const value = element.dataset[name];
  if (value === undefined) throw new Error(`This page has no data attribute ${name} on <${element.localName}>.`);
  return value;
}

/** What was thrown, as the sentence of an error. @param {unknown} error */
export const sentenceOf = (error) => (error instanceof Error ? error.message : String(error));

const words = new Map(
  all("[data-word]", find("template#words")?.content ?? document).map((node) => [node.dataset.word, node.textContent.trim()]),
);

/**
 * The template's sentence for `key`, with `{name}` filled in.
 *
 * @param {string} key
 * @param {Record<string, unknown>} [values]
 */
export function say(key, values = {}) {
  return (words.get(key) ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/**
 * Calls `run` for a press on any `[data-action=name]`.
 *
 * @param {string} name
 * @param {(button: HTMLElement, event: MouseEvent) => unknown} run
 */
export function onAction(name, run) {
  document.addEventListener("click", (event) => {
    const button = around(event, `[data-action="${name}"]`);
    if (button) run(button, event);
  });
}

const WAKING = ["online", "focus", "diptych:retry"];

/**
 * Resolves after `ms`, or as soon as the network is back, the page is looked at again, or somebody says “try now”.
 *
 * @param {number} ms
 * @returns {Promise<void>}
 */
export function pause(ms) {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      for (const name of WAKING) removeEventListener(name, wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    for (const name of WAKING) addEventListener(name, wake);
  });
}
