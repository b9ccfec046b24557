/* Apply the person's theme before the first paint. This is a plain script because modules run only later. */
try {
  const kept = localStorage.getItem(`diptych:${document.body.dataset.person}:settings`);
  document.documentElement.dataset.theme = JSON.parse(kept ?? "null")?.theme ?? "dark";
} catch {
  document.documentElement.dataset.theme = "dark"; // this browser stores nothing
}
