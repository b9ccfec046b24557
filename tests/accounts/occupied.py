"""The product, in which another request hashes a password while the file OCCUPIED_FILE exists."""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

from diptych.wsgi import application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "diptych.settings")

from django.conf import settings

from accounts import hashing
from diptych.try_again import TryAgain

settings.PASSWORD_HASHERS = ["accounts.hashing.Argon2Hasher", *settings.PASSWORD_HASHERS]


def hash_while_told(file: Path) -> None:
    hashing.in_request.set(True)
    while True:
        if file.exists():
            with suppress(TryAgain), hashing.turn():  # a request hashes at this moment: try again
                while file.exists():
                    time.sleep(0.02)
        time.sleep(0.02)


threading.Thread(target=hash_while_told, args=[Path(os.environ["OCCUPIED_FILE"])], daemon=True).start()

__all__ = ["application"]
