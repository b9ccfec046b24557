"""The product with real password hashes. Each hash is written to HASHES_FILE: the process, and how many ran then."""

import os
import threading
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher

from diptych.wsgi import application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "diptych.settings")

from django.conf import settings

settings.PASSWORD_HASHERS = ["accounts.hashing.Argon2Hasher"]  # other tests use a quick one

running, lock = [0], threading.Lock()


def counted(method: Any) -> Any:
    def hashing(*arguments: Any, **named: Any) -> Any:
        with lock:
            running[0] += 1
            line = f"{os.getpid()} {running[0]}\n".encode()
        try:
            with open(os.environ["HASHES_FILE"], "ab", buffering=0) as file:
                file.write(line)
            return method(*arguments, **named)
        finally:
            with lock:
                running[0] -= 1

    return hashing


for name in ("encode", "verify"):
    setattr(Argon2PasswordHasher, name, counted(getattr(Argon2PasswordHasher, name)))

__all__ = ["application"]
