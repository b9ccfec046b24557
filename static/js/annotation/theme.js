/* The person's theme before the first paint: a plain script, because modules run only after it. */
try {
  const kept = localStorage.getItem(`diptych:${document.body.dataset.person}:settings`);
  document.documentElement.dataset.theme = JSON.parse(kept ?? "null")?.theme ?? "dark";
} catch {
  document.documentElement.dataset.theme = "dark"; // this browser keeps nothing
}
