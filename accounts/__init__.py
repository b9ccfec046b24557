"""People: sign-in, API tokens, profile, consent and the audit record."""
