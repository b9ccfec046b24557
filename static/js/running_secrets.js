/** Offers what is shown this once as a file. Nothing is kept: the file is made of the table on the page. */

const button = document.querySelector("[data-download-secrets]");
const table = document.querySelector("[data-secrets]");
const quoted = (text) => `"${text.replaceAll('"', '""')}"`;

button?.addEventListener("click", () => {
  const lines = [...table.rows].map((row) => [...row.cells].map((cell) => quoted(cell.textContent.trim())).join(","));
  const address = URL.createObjectURL(new Blob([`\ufeff${lines.join("\r\n")}\r\n`], { type: "text/csv" }));
  const link = Object.assign(document.createElement("a"), { href: address, download: table.dataset.secrets });
  link.click();
  URL.revokeObjectURL(address);
});
if (button) button.hidden = false;
