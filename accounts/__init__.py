"""People: sign-in, API tokens, profile and consent; the audit record."""
