"""`manage.py prepare_bucket ORIGIN …`: configure the media bucket for browsers, and test it."""

import urllib.error
import urllib.request
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError, CommandParser

from media.addresses import bucket_url

PROBE = "probes/prepare-bucket"


class Command(BaseCommand):
    help = (
        "Allows pages of ORIGIN (such as https://annotate.example.org) to read the media bucket. Checks that files can "
        "be written, read with a signed address, not read without one, and removed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("origins", nargs="*", metavar="ORIGIN", help="default: CSRF_TRUSTED_ORIGINS")

    def handle(self, *, origins: list[str], **options: Any) -> None:
        origins = origins or list(settings.CSRF_TRUSTED_ORIGINS)
        storage: Any = default_storage
        if settings.MEDIA_DELIVERY != "s3":
            raise CommandError("Media are not kept in a bucket: MEDIA_DELIVERY is not s3.")
        if not origins:
            raise CommandError(
                "No origin is given. Name the origins whose pages show the videos, such as https://annotate.example.org."
            )
        try:
            storage.bucket.Cors().put(CORSConfiguration={"CORSRules": [rule(origins)]})
            storage.save(PROBE, ContentFile(b"probe"))
            self.try_reading()
            storage.delete(PROBE)
        except (BotoCoreError, ClientError, OSError) as error:
            raise CommandError(f"The bucket cannot be used: {error}") from None
        self.stdout.write(f"The bucket can be used, by pages of {', '.join(origins)}.")

    def try_reading(self) -> None:
        signed = bucket_url(PROBE, 0)
        if status(signed) != 200:
            raise CommandError(
                f"The bucket responded to a signed address with {status(signed)}. Check MEDIA_S3_PUBLIC_ADDRESS."
            )
        if status(signed.split("?")[0]) == 200:
            raise CommandError("The bucket can be read without a signed address. Remove public access.")


def rule(origins: list[str]) -> dict[str, Any]:
    return {
        "AllowedOrigins": origins,
        "AllowedMethods": ["GET", "HEAD"],
        "AllowedHeaders": ["Range"],
        "ExposeHeaders": ["Content-Length", "Content-Range", "ETag"],
        "MaxAgeSeconds": 3600,
    }


def status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=20) as answer:  # noqa: S310 - an address of our own bucket
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
