/** Offers the passwords and tokens on the page as a CSV file. The file is made from the table and not stored. */

import { find, given, one } from "../page/dom.js";

const button = find("button[data-download-secrets]");
/** @param {string} text */
const quoted = (text) => `"${text.replaceAll('"', '""')}"`;

if (button) button.hidden = false;
button?.addEventListener("click", () => {
  const table = one("table[data-secrets]");
  const lines = [...table.rows].map((row) => [...row.cells].map((cell) => quoted(cell.textContent.trim())).join(","));
  const address = URL.createObjectURL(new Blob([`\ufeff${lines.join("\r\n")}\r\n`], { type: "text/csv" }));
  const link = Object.assign(document.createElement("a"), { href: address, download: given(table, "secrets") });
  link.click();
  URL.revokeObjectURL(address);
});
