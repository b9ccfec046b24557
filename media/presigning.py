"""Addresses that lead straight to a bucket: Signature Version 4 in the query, for one object, person and window.

botocore signs for the moment of signing, so each address would be new and no browser could keep the file. Here an
address is signed as of the beginning of its window: within the window a person gets one address, and it costs one HMAC.
Source: AWS, “Authenticating Requests: Using Query Parameters”.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"
#: Names the person whom an address was made for. Buckets pass over what they do not know, but it is signed.
PERSON = "x-diptych-person"


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where a bucket is and who may read it. `address` is that of the bucket as browsers reach it."""

    address: str
    region: str
    key_id: str
    secret: str

    def url(self, key: str, person_id: int, signed_at: int, lives_s: int) -> str:
        """The object's address, good for `lives_s` seconds from `signed_at` (Unix seconds)."""
        moment = datetime.fromtimestamp(signed_at, UTC)
        scope = f"{moment:%Y%m%d}/{self.region}/s3/aws4_request"
        where = urlsplit(self.address)
        path = quote(f"{where.path.rstrip('/')}/{key}", safe="/~")
        query = "&".join(
            f"{name}={quote(value, safe='~')}"
            for name, value in (  # in the order in which they are signed
                ("X-Amz-Algorithm", ALGORITHM),
                ("X-Amz-Credential", f"{self.key_id}/{scope}"),
                ("X-Amz-Date", f"{moment:%Y%m%dT%H%M%SZ}"),
                ("X-Amz-Expires", str(lives_s)),
                ("X-Amz-SignedHeaders", "host"),
                (PERSON, str(person_id)),
            )
        )
        request = f"GET\n{path}\n{query}\nhost:{where.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
        digest = hashlib.sha256(request.encode()).hexdigest()
        to_sign = f"{ALGORITHM}\n{moment:%Y%m%dT%H%M%SZ}\n{scope}\n{digest}"
        signature = hmac.new(_key(self.secret, scope), to_sign.encode(), "sha256").hexdigest()
        return f"{where.scheme}://{where.netloc}{path}?{query}&X-Amz-Signature={signature}"


@lru_cache(maxsize=8)
def _key(secret: str, scope: str) -> bytes:
    """The key of a day, region and service."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
