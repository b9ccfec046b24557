"""Files in an S3 bucket. Each is complete under its name, or not there at all."""

from tempfile import SpooledTemporaryFile
from typing import Any

from botocore.exceptions import ClientError
from django.core.files import File
from storages.backends.s3 import S3Storage

#: Bytes of a file that are kept in memory while it is uploaded. More are kept on the disk.
IN_MEMORY = 8 * 1024 * 1024
#: The error codes of a bucket for something that does not exist.
ABSENT = {"404", "NoSuchKey", "NotFound"}


class ObjectStorage(S3Storage):
    """Storage that keeps a file under exactly the requested name. A bucket replaces an object in one step by itself."""

    def _save(self, name: str, content: File) -> str:
        """Read the content to its end before any of it is sent. A content that fails while it is read is not stored."""
        with SpooledTemporaryFile(max_size=IN_MEMORY) as whole:
            for block in content.chunks():
                whole.write(block)
            whole.seek(0)
            return str(super()._save(name, File(whole, name)))

    def move(self, name: str, target: str) -> None:
        """Copy within the bucket, then delete.

        If this is killed in between, both exist, and moving again completes it.

        Raises FileNotFoundError.
        """
        source = {"Bucket": self.bucket_name, "Key": self._key(name)}
        try:
            self.bucket.copy(source, self._key(target))
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in ABSENT:
                raise FileNotFoundError(name) from None
            raise OSError(f"{name} could not be moved in the bucket: {error}") from error
        self.delete(name)

    def _key(self, name: str) -> str:
        return str(self._normalize_name(name))

    def get_object_parameters(self, name: str) -> dict[str, Any]:
        """Return headers with which browsers keep a file to themselves, and for no longer than its address is valid."""
        return {**super().get_object_parameters(name), "CacheControl": "private, immutable, max-age=86400"}
