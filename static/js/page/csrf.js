/** What makes a request ours: from the cookie, which a sign-in in another tab renews; else as the page was given it. */
export function csrfToken() {
  return /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? document.body.dataset.csrf ?? "";
}
