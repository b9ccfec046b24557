/** Small helpers for the document, and the sentences that the template has for the scripts. */

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
 * Return the first element that matches. Throws an Error if there is none: the template and this script do not match.
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
 * Return the event's target or its closest ancestor that matches, or null.
 *
 * @template {string} S
 * @param {Event} event
 * @param {S} selector
 * @returns {Selected<S> | null}
 */
export const around = ({ target }, selector) => /** @type {any} */ (target instanceof Element ? target.closest(selector) : null);

/**
 * Return the value of a `data-` attribute that the template always has. Throws an Error if it is missing.
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

/** Return the message of anything that was thrown. @param {unknown} error */
export const sentenceOf = (error) => (error instanceof Error ? error.message : String(error));

const words = new Map(
  all("[data-word]", find("template#words")?.content ?? document).map((node) => [node.dataset.word, node.textContent.trim()]),
);

/**
 * Return the template's sentence for `key`, with each `{name}` filled in.
 *
 * @param {string} key
 * @param {Record<string, unknown>} [values]
 */
export function say(key, values = {}) {
  return (words.get(key) ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/**
 * Call `run` for each click on a `[data-action=name]`.
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

const WAKING_EVENTS = ["online", "focus", "diptych:retry"];

/**
 * Wait for `ms`, or until the network is back, the page gets the focus, or the person presses “Try now”.
 *
 * @param {number} ms
 * @returns {Promise<void>}
 */
export function pause(ms) {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      for (const name of WAKING_EVENTS) removeEventListener(name, wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    for (const name of WAKING_EVENTS) addEventListener(name, wake);
  });
}
