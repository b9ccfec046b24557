"""`diptych pull`, `card`, `convert` and `publish`: release folders."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from diptych_client import pulling
from diptych_client.client import Client
from diptych_client.commands import options
from diptych_client.errors import ClientError
from diptych_client.release_folder import safesora

if TYPE_CHECKING:
    from diptych_client import publishing


@click.command()
@click.argument("release")
@click.argument("folder", default="")
@options.server
@options.as_json
def pull(release: str, folder: str, server: str, as_json: bool) -> None:
    """Download RELEASE into a new FOLDER, by default STUDY-N.

    RELEASE is STUDY, STUDY@latest or STUDY@N. The folder appears when it is complete and every file has the SHA-256
    that the manifest states. If the command was stopped, run it again: it continues where it was. If the folder is
    complete already, all its bytes are checked.
    """
    named = options.named_release(release)
    with Client(server) as client:
        found = client.find_release(*named)
        target = Path(folder or f"{named.study}-{found['number']}")
        total = sum(file["bytes"] for file in found["files"])
        with tqdm(total=total, unit="B", unit_scale=True, disable=None, desc=target.name) as bar:
            pulled = pulling.pull(client.connection, found, target, advance=bar.update)
    if as_json:
        options.print_json(asdict(pulled) | {"folder": str(pulled.folder), "release": found["number"]})
    else:
        click.echo(f"{target}: {pulled.files} files, {pulled.bytes:,} bytes, all as the manifest states.")


@click.command()
@click.argument("release")
@options.server
@options.as_json
def card(release: str, server: str, as_json: bool) -> None:
    """Print the data card of RELEASE.

    RELEASE is a release folder, or STUDY, STUDY@latest or STUDY@N on the server.
    """
    name = "card.json" if as_json else "card.md"
    click.echo(_file(release, name, server).decode().rstrip("\n"))


def _file(release: str, name: str, server: str) -> bytes:
    """Return a small file of a release folder, or of a release on the server."""
    folder = Path(release)
    if folder.is_dir():
        try:
            return (folder / name).read_bytes()
        except FileNotFoundError:
            sentence = f"{folder} has no {name}. Only releases that Diptych made have a data card."
            raise ClientError(sentence, "not_found") from None
    named = options.named_release(release)
    with Client(server) as client:
        found = client.find_release(*named)
        pulling.require_complete(found)
        return client.read_file(found["id"], name)


@click.group()
def convert() -> None:
    """Make a release folder of a published dataset."""


@convert.command("safesora")
@click.argument("dataset", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--title", default="SafeSora", show_default=True, help="Title of the dataset.")
@click.option("--licence", default="", help="Licence of the dataset, such as CC-BY-NC-4.0.")
@options.as_json
def convert_safesora(dataset: Path, folder: Path, title: str, licence: str, as_json: bool) -> None:
    """Make a release folder of a published SafeSora dataset.

    DATASET is as downloaded: a folder with configs, the folder above several of them, or a hub's cache. FOLDER is new.
    It gets the published preferences, tags and split. Videos are not needed. --json prints its manifest.
    """

    def announce(path: str) -> None:
        _announce(f"Reading {path}")

    done = safesora.convert(dataset, folder, title=title, licence=licence, before_config=announce)
    if done.left_out:
        lists = folder / "left_out.jsonl"
        click.echo(f"{done.left_out.total()} records were left out. {lists} lists them with the reasons.", err=True)
    if as_json:
        options.print_json(done.manifest)
    else:
        counts: dict[str, Any] = done.manifest["counts"]
        click.echo(f"{folder}: {counts['pairs']} pairs, {counts['tv_pairs']} T-V pairs, {counts['prompts']} prompts.")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--to", "hub", type=click.Choice(["hf"]), required=True, help="hf: the Hugging Face Hub.")
@click.option("--repo", required=True, metavar="OWNER/NAME", help="The dataset. It is made if it does not exist.")
@click.option(
    "--gate",
    type=click.Choice(["manual", "auto", "off"]),
    help="Who decides about requests for access: you, nobody (auto), or no request is needed. New datasets: manual.",
)
@click.option("--public", is_flag=True, help="Show the dataset to everybody when the release is complete there.")
@options.as_json
def publish(folder: Path, hub: str, repo: str, gate: "publishing.Gate | None", public: bool, as_json: bool) -> None:
    """Upload the release in FOLDER to a hub of datasets, and tag it with its number.

    A new dataset is private, and people have to ask for access. If the command was stopped, run it again. It uses your
    sign-in at the hub: HF_TOKEN, or hf auth login.
    """
    from diptych_client import publishing  # loads the library of the hub

    done = publishing.publish(folder, repo, gate=gate, public=public, say=_announce)
    if as_json:
        options.print_json(asdict(done))
    else:
        click.echo(f"{done.address} has the release, with the tag {done.tag}.")


def _announce(sentence: str) -> None:
    click.echo(sentence, err=True)


COMMANDS = (pull, card, convert, publish)
