"""Fixtures: a real S3 server and a real nginx, each on ports of its own in a temporary folder."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from socket import socket

import boto3
import pytest
from botocore.config import Config

from diptych.embedded.process import Guarded
from media import addresses
from tests.programs import find

KEY_ID, SECRET, REGION, BUCKET = "diptych", "only-for-this-test", "us-east-1", "diptych-media"
NGINX = find("nginx")


@dataclass(frozen=True)
class ObjectServer:
    """An S3 server with one empty bucket."""

    endpoint: str

    @property
    def bucket_address(self) -> str:
        return f"{self.endpoint}/{BUCKET}"

    def client(self):
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )

    def environment(self) -> dict[str, str]:
        return {
            "MEDIA_DELIVERY": "s3",
            "MEDIA_S3_BUCKET": BUCKET,
            "MEDIA_S3_ENDPOINT": self.endpoint,
            "MEDIA_S3_PUBLIC_ADDRESS": self.bucket_address,
            "MEDIA_S3_REGION": REGION,
            "MEDIA_S3_ACCESS_KEY": KEY_ID,
            "MEDIA_S3_SECRET_KEY": SECRET,
        }


@pytest.fixture(scope="session")
def object_server(tmp_path_factory) -> Iterator[ObjectServer]:
    from tests.web import wait_for

    folder = tmp_path_factory.mktemp("objects")
    identities = [
        {
            "name": "diptych",
            "credentials": [{"accessKey": KEY_ID, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
    ]
    (folder / "s3.json").write_text(json.dumps({"identities": identities}))
    master, volume, filer, s3, *grpc = free_ports(8)
    command = [
        str(Path(sys.executable).parent / "weed"),
        "server",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
    ]
    command += [f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}", f"-s3.port={s3}"]
    command += [
        f"-{name}.port.grpc={port}" for name, port in zip(("master", "volume", "filer", "s3"), grpc, strict=True)
    ]
    command += ["-filer", "-s3", f"-s3.config={folder}/s3.json", "-master.volumeSizeLimitMB=64", "-volume.max=20"]
    command += ["-master.telemetry=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    running = Guarded("The object server", command, log=folder / "log", grace=3)
    try:
        server = ObjectServer(f"http://127.0.0.1:{s3}")
        wait_for(lambda: answers(server.endpoint), f"the object server did not start; see {folder}/log")
        wait_for(lambda: made(server), f"the bucket could not be made; see {folder}/log")
        yield server
    finally:
        running.stop()


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(closing(socket())) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=2)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def made(server: ObjectServer) -> bool:
    """Return whether the bucket exists and accepts an object: the volumes start later than the address."""
    from botocore.exceptions import ClientError

    client = server.client()
    try:
        client.create_bucket(Bucket=BUCKET)
        client.put_object(Bucket=BUCKET, Key="probe", Body=b"1")
        client.delete_object(Bucket=BUCKET, Key="probe")
    except ClientError as error:
        return error.response["Error"]["Code"] in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"} and takes(server)
    return True


def takes(server: ObjectServer) -> bool:
    from botocore.exceptions import ClientError

    try:
        server.client().put_object(Bucket=BUCKET, Key="probe", Body=b"1")
        server.client().delete_object(Bucket=BUCKET, Key="probe")
    except ClientError:
        return False
    return True


@pytest.fixture
def nginx(tmp_path):
    """Start nginx with our configuration in front of a port, on the media of a folder. Return its address."""
    if NGINX is None:
        pytest.skip("nginx is not installed here; on Debian or Ubuntu: apt-get install nginx-light")
    with ExitStack() as stack:

        def start(port: int, media: Path) -> str:
            from tests.web import free_port, wait_for

            ours = free_port()
            site = Path("deploy/nginx.conf").read_text()
            for said, meant in (
                ("127.0.0.1:8000", f"127.0.0.1:{port}"),
                ("listen 80;", f"listen 127.0.0.1:{ours};"),
                ("/var/lib/diptych/media/", f"{media}/"),
            ):
                assert said in site
                site = site.replace(said, meant)
            folders = "".join(
                f"{kind}_temp_path {tmp_path}/{kind};\n"
                for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
            )
            (tmp_path / "nginx.conf").write_text(
                f"daemon off;\npid {tmp_path}/pid;\nerror_log {tmp_path}/error.log;\nuser root;\n"
                f"events {{}}\nhttp {{\naccess_log off;\n{folders}{site}}}\n"
            )
            configuration = ["-c", str(tmp_path / "nginx.conf"), "-e", str(tmp_path / "error.log")]
            subprocess.run([NGINX, "-t", *configuration], check=True, capture_output=True)
            running = Guarded("nginx", [NGINX, *configuration], log=tmp_path / "log", grace=3)
            stack.callback(running.stop)
            address = f"http://127.0.0.1:{ours}"
            wait_for(lambda: answers(f"{address}/healthz"), "nginx did not start")
            return address

        yield start


@pytest.fixture
def bucket(settings, object_server):
    """Make an empty bucket the storage, and let addresses point to it."""
    settings.MEDIA_DELIVERY = "s3"
    settings.MEDIA_BUCKET = {
        "address": object_server.bucket_address, "region": REGION, "key_id": KEY_ID, "secret": SECRET,
    }  # fmt: skip
    options = {
        "bucket_name": BUCKET, "endpoint_url": object_server.endpoint, "region_name": REGION, "access_key": KEY_ID,
        "secret_key": SECRET, "addressing_style": "path", "signature_version": "s3v4", "default_acl": None,
    }  # fmt: skip
    backend = {"BACKEND": "diptych.object_storage.ObjectStorage", "OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"default": backend}
    addresses._bucket.cache_clear()
    yield object_server
    addresses._bucket.cache_clear()
