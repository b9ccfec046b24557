/*
 * Show a notice if the browser is too old for the pages, before any module runs. Old browsers must be able to read this file,
 * so it is not a module and has no syntax newer than 2012. docs/browsers.md says which browsers are supported.
 */
/* oxlint-disable no-var, no-unused-vars */
(function () {
  "use strict";
  var root = document.documentElement;

  /* Features that the scripts and the styles need. Features with a substitute are not listed. */
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

  /** Show the notice of templates/_browser_notice.html. @param {string} state */
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
   * Show the notice if a module cannot be read or fails before the page has begun: such a page does nothing.
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
    /* The script of a page with `data-begins` sets `data-begun` itself, later than this event. */
    addEventListener("load", function () {
      if (!root.hasAttribute("data-begins")) root.setAttribute("data-begun", "");
    });
  } else {
    say("too-old");
  }
})();
