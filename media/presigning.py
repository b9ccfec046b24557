"""Sign addresses that lead directly to a bucket: Signature Version 4, for one object, person and window.

botocore signs for the current moment. Each address would then be new, and browsers could not cache the file. Here an
address is signed for the beginning of its window. So a person gets one address per window, at the cost of one HMAC.
Source: AWS, “Authenticating Requests: Using Query Parameters”.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"
#: Parameter with the id of the person for whom an address was made. Buckets ignore it, but it is signed.
PERSON = "x-diptych-person"


@dataclass(frozen=True, slots=True)
class Bucket:
    """Address and credentials of a bucket. `address` is the one that browsers use."""

    address: str
    region: str
    key_id: str
    secret: str

    def url(
        self, key: str, person_id: int, signed_at: int, lives_s: int, headers: Mapping[str, str] | None = None
    ) -> str:
        """Return the object's address, valid for `lives_s` seconds from `signed_at` (Unix seconds).

        Args:
            headers: headers that the bucket sends with the object, in lower case, such as `content-type`.
        """
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
                *((f"response-{name}", value) for name, value in sorted((headers or {}).items())),
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
    """Return the signing key of a day, region and service."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
