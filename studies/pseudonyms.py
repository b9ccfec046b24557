"""Codes of people in the files of a study. Without the study's key, nobody can find the person."""

import hmac

from studies.models import Study


def pseudonym(study: Study, person_id: int) -> str:
    """Return the person's code in this study's files, 16 hexadecimal digits."""
    return hmac.digest(study.pseudonym_key.encode(), str(person_id).encode(), "sha256").hex()[:16]
