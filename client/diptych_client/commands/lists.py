"""`diptych studies` and `diptych releases`."""

import click

from diptych_client.api_types import ReleaseShape
from diptych_client.client import Client
from diptych_client.commands import options


@click.command()
@click.option("--archived", is_flag=True, help="Also those that are archived.")
@options.server
@options.as_json
def studies(archived: bool, server: str, as_json: bool) -> None:
    """List the studies in which you have a role."""
    with Client(server) as client:
        found = client.studies(archived=archived)
    if as_json:
        options.print_json(found)
        return
    rows = [(one["slug"], one["state"], ", ".join(one["roles"]), one["title"]) for one in found]
    options.print_table([("study", "state", "your roles", "title"), *rows])


@click.command()
@click.argument("study")
@options.server
@options.as_json
def releases(study: str, server: str, as_json: bool) -> None:
    """List the releases of STUDY, the latest first."""
    with Client(server) as client:
        found = list(client.releases(study))
    if as_json:
        options.print_json(found)
        return
    options.print_table([("release", "state", "made on", "answers", "licence"), *map(_row, found)])


def _row(release: ReleaseShape) -> tuple[str, ...]:
    state = "withdrawn" if release["withdrawn"] else release["state"]
    answers = str(release["counts"].get("answers", ""))
    return (str(release["number"]), state, (release["finished_at"] or "")[:10], answers, release["licence"])


COMMANDS = (studies, releases)
