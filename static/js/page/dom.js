/** Small helpers over the document, and the words that the template gives us. */

export const SIDES = ["left", "right"];

export const one = (selector, root = document) => root.querySelector(selector);
export const all = (selector, root = document) => [...root.querySelectorAll(selector)];

const words = new Map(
  all("[data-word]", one("#words")?.content ?? document).map((node) => [node.dataset.word, node.textContent.trim()]),
);

/** The template's sentence for `key`, with `{name}` filled in. */
export function say(key, values = {}) {
  return (words.get(key) ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** Calls `run` for a press on any `[data-action=name]`. */
export function onAction(name, run) {
  document.addEventListener("click", (event) => {
    const button = event.target.closest(`[data-action="${name}"]`);
    if (button) run(button, event);
  });
}

const WAKING = ["online", "focus", "diptych:retry"];

/** Resolves after `ms`, or as soon as the network is back, the page is looked at again, or somebody says “try now”. */
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
