"""`diptych models` and `diptych score`."""

import csv
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import click
from tqdm import tqdm

from diptych_client import scoring
from diptych_client.client import Client
from diptych_client.commands import options
from diptych_client.errors import ClientError


@click.command()
@click.argument("study")
@options.server
@options.as_json
def models(study: str, server: str, as_json: bool) -> None:
    """List the model versions of STUDY, the latest first."""
    with Client(server) as client:
        found = list(client.models(study))
    if as_json:
        options.print_json(found)
        return
    rows = [
        (f"{one['family']}@{one['number']}", one["kind"], one["state"], f"release {one['release']}", one["backbone"])
        for one in found
    ]
    options.print_table([("model", "kind", "state", "trained on", "backbone"), *rows])


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--study", metavar="SLUG", help="The study on the server whose model scores.")
@click.option("--model", metavar="NAME", help="reward@promoted, moderation@promoted, or a number: reward@2.")
@click.option(
    "--local",
    type=click.Path(path_type=Path, file_okay=False),
    help="Score on this machine with the model in a folder.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="A .jsonl or .csv file. Default: print.")
@options.server
@options.as_json
def score(
    file: Path, study: str | None, model: str | None, local: Path | None, out: Path | None, server: str, as_json: bool
) -> None:
    """Score the videos that FILE names, in JSON Lines or CSV.

    A line has `video`, the published id of a video of the study, or `path` and `prompt`: a file of this machine that
    was imported into the study, or any file with --local. Videos without a score are scored by a training worker.
    """
    asked = scoring.read(file)
    if local is not None:
        if study or model:
            raise ClientError("Give either --local, or --study and --model.", "usage")
        _write(scoring.on_this_machine(local, asked), out, as_json)
        return
    if not (study and model):
        raise ClientError("Name --study and --model, such as --model reward@promoted. Or give --local.", "usage")
    with Client(server) as client, tqdm(total=len(asked), unit="video", disable=None, desc=file.name) as bar:
        version = scoring.find_version(client, study, model)
        _write(scoring.on_server(client, version, asked, advance=bar.update), out, as_json)


def _write(rows: Iterable[scoring.Row], out: Path | None, as_json: bool) -> None:
    """Write the results. A file has its name when it is complete."""
    if out is None:
        if as_json:
            options.print_json(list(rows))
        else:
            _lines(rows, sys.stdout)
        return
    aside = out.with_name(f".{out.name}.part")
    with aside.open("w", encoding="utf-8", newline="") as file:
        (_table if out.suffix.lower() == ".csv" else _lines)(rows, file)
    aside.replace(out)


def _lines(rows: Iterable[scoring.Row], file: IO[str]) -> None:
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _table(rows: Iterable[scoring.Row], file: IO[str]) -> None:
    found = list(rows)
    names = sorted({name for row in found for name in row["scores"] or {}})
    table: Any = csv.writer(file)
    table.writerow(("line", "video", "path", "state", *names))
    for row in found:
        scores = [(row["scores"] or {}).get(name, "") for name in names]
        table.writerow((row["line"], row["video"] or "", row["path"] or "", row["state"], *scores))


COMMANDS = (models, score)
