"""The cheap hasher of one-time passwords.

A slow hash protects passwords that people choose, because those can be guessed. A one-time password is 72 random
bits, which nobody can guess even with a fast hash. So it gets a cheap hash, and 500 people can be added in seconds.
The first sign-in replaces the cheap hash with a slow one (`accounts.models.User.check_password`).
"""

import re
from typing import Any

from django.contrib.auth.hashers import PBKDF2PasswordHasher, get_hasher

#: Without i, l and o, which look like 1 and 0.
LETTERS = "abcdefghjkmnpqrstuvwxyz"
GROUPS, LETTERS_A_GROUP = 4, 4  # 16 letters of 23: 72 bits
FORM = re.compile("-".join([f"[{LETTERS}]{{{LETTERS_A_GROUP}}}"] * GROUPS))


class OneTimePasswordHasher(PBKDF2PasswordHasher):
    """PBKDF2 with few iterations, only for text that has the form of a one-time password.

    It is second in PASSWORD_HASHERS, so it is used only where code asks for it by name.
    """

    algorithm = "one_time_pbkdf2_sha256"
    iterations = 1_000

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        """Return the hash. Raises ValueError for any text that is not a one-time password."""
        if not FORM.fullmatch(password):
            raise ValueError("Only one-time passwords may have a cheap hash. Use the default hasher.")
        return super().encode(password, salt, iterations)

    def verify(self, password: str, encoded: str) -> bool:
        """Return whether the password is right. A wrong one takes as long as with the slow hasher.

        Otherwise the time of a refusal would reveal which accounts still have a one-time password.
        """
        if FORM.fullmatch(password) and super().verify(password, encoded):
            return True
        slow: Any = get_hasher("default")
        slow.encode(password, slow.salt())
        return False
