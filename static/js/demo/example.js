/** Shows the steps of the example anew every few seconds, as long as one of them is to come. */

import { one } from "../page/dom.js";

const EVERY_MS = 4000;

async function look() {
  if (!document.hidden) {
    try {
      const reply = await fetch(location.href, { redirect: "error" });
      if (reply.ok) show(new DOMParser().parseFromString(await reply.text(), "text/html"));
    } catch {
      // The next look tries again.
    }
  }
  next();
}

/** @param {Document} page */
function show(page) {
  const here = one("[data-steps]");
  const there = one("[data-steps]", page);
  // What somebody has focused or selected stays as long as nothing has changed.
  if (here.innerHTML !== there.innerHTML) here.replaceChildren(...there.childNodes);
}

function next() {
  const done = document.querySelectorAll('[data-steps] li:not([data-state="done"])').length === 0;
  if (!done) setTimeout(look, EVERY_MS);
}

next();
