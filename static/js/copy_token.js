/** Copies a new API token to the clipboard. Without a clipboard the button stays hidden, and the text can be selected. */

const button = document.querySelector("[data-copy-token]");

if (button && navigator.clipboard) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.querySelector("[data-token]").textContent.trim());
    button.textContent = button.dataset.copied;
  });
}
