/**
 * Return the CSRF token: from the cookie, which a sign-in in another tab renews, or from the page if there is no cookie.
 */
export function csrfToken() {
  return /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? document.body.dataset.csrf ?? "";
}
