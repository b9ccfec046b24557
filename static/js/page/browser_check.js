/*
 * Says so where the browser is too old for the pages, before any module runs. Old browsers must be able to read this file, so it
 * is no module and has no syntax newer than 2012. docs/browsers.md says which browsers are supported.
 */
/* oxlint-disable no-var, no-unused-vars */
(function () {
  "use strict";
  var root = document.documentElement;

  /* What the scripts cannot do without, and what the styles cannot. What has a substitute is not listed. */
  var NAMES = [
    "HTMLScriptElement.prototype.noModule",
    "HTMLElement.prototype.inert",
    "HTMLDialogElement.prototype.showModal",
    "Element.prototype.replaceChildren",
    "Element.prototype.toggleAttribute",
    "Array.prototype.at",
    "Array.prototype.toSorted",
    "Object.fromEntries",
    "Promise.allSettled",
    "String.prototype.replaceAll",
    "AbortController",
    "FormData",
    "IntersectionObserver",
    "MutationObserver",
    "ReadableStream",
    "URLSearchParams",
    "Crypto.prototype.getRandomValues",
    "fetch",
    "CSS.supports"
  ];
  var STYLES = ["selector(:has(*))", "(container-type: inline-size)", "(aspect-ratio: 1)"];

  /** @param {string} name */
  function has(name) {
    var parts = name.split(".");
    var last = parts.pop() || "";
    /** @type {any} */
    var found = window;
    for (var index = 0; index < parts.length && found; index += 1) found = found[parts[index]];
    return Boolean(found) && last in found;
  }

  /** @param {string} style */
  function hasStyle(style) {
    return CSS.supports(style);
  }

  /** Shows the notice that templates/_browser_notice.html has. @param {string} state */
  function say(state) {
    function show() {
      /** @type {HTMLElement | null} */
      var notice = document.querySelector("[data-browser-notice]");
      if (notice) notice.hidden = false;
    }
    root.setAttribute("data-browser", state);
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", show);
    else show();
  }

  /**
   * A module that this browser cannot read, or that fails before the page has begun, leaves a page that does nothing.
   *
   * @param {ErrorEvent} event
   */
  function failed(event) {
    var error = event.error;
    var isOfTheBrowser = error instanceof SyntaxError || error instanceof TypeError || error instanceof ReferenceError;
    if (isOfTheBrowser && !root.hasAttribute("data-begun")) say("failed");
  }

  if (NAMES.every(has) && STYLES.every(hasStyle)) {
    addEventListener("error", failed);
    /* A page whose script says when it has begun (`data-begins`) is waited for longer. */
    addEventListener("load", function () {
      if (!root.hasAttribute("data-begins")) root.setAttribute("data-begun", "");
    });
  } else {
    say("too-old");
  }
})();
