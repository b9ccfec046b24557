"""The cheap hasher of one-time passwords.

A slow hash protects passwords that people choose, because those can be guessed. A one-time password is 72 random bits,
which nobody guesses however fast the hash is. So it gets a cheap hash, and 500 people are added in seconds. Signing in
with it replaces the cheap hash by a slow one (`accounts.models.User.check_password`).
"""

import re
from typing import Any

from django.contrib.auth.hashers import PBKDF2PasswordHasher, get_hasher

#: Without i, l and o, which read like 1 and 0.
LETTERS = "abcdefghjkmnpqrstuvwxyz"
GROUPS, LETTERS_A_GROUP = 4, 4  # 16 letters of 23: 72 bits
FORM = re.compile("-".join([f"[{LETTERS}]{{{LETTERS_A_GROUP}}}"] * GROUPS))


class OneTimePasswordHasher(PBKDF2PasswordHasher):
    """PBKDF2 with few iterations, for text that has the form of a one-time password and for no other.

    It stands second in PASSWORD_HASHERS, so it is used only where it is asked for by name.
    """

    algorithm = "one_time_pbkdf2_sha256"
    iterations = 1_000

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        """Return the hash. Raises ValueError for any text that is not a one-time password."""
        if not FORM.fullmatch(password):
            raise ValueError("Only one-time passwords may have a cheap hash. Use the default hasher.")
        return super().encode(password, salt, iterations)

    def verify(self, password: str, encoded: str) -> bool:
        """Return whether the password is right. A wrong one takes as long as it does with the slow hasher.

        Otherwise the time of a refusal would tell which accounts still have a one-time password.
        """
        if FORM.fullmatch(password) and super().verify(password, encoded):
            return True
        slow: Any = get_hasher("default")
        slow.encode(password, slow.salt())
        return False
