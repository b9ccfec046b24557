"""`diptych sign-in` and `sign-out`."""

import sys
from ipaddress import ip_address
from urllib.parse import urlsplit

import click

from diptych_client import credentials
from diptych_client.client import Client
from diptych_client.connection import server_address
from diptych_client.errors import ClientError


@click.command("sign-in")
@click.argument("server")
@click.option("--plain-http", is_flag=True, help="Send the token without encryption, to a server in your own network.")
def sign_in(server: str, plain_http: bool) -> None:
    """Store an API token for SERVER.

    SERVER is an address such as https://diptych.example.org. Make the token on the server: account menu, API tokens.
    The scopes read and export are enough for releases. The command asks for the token, or reads it from its standard
    input.
    """
    server = server_address(server)
    if not (plain_http or is_safe(server)):
        sentence = f"{server} has no encryption, so others could read the token. Use https://, or add --plain-http"
        raise ClientError(f"{sentence} in a network of your own.", "usage")
    token = click.prompt("Token", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    token = token.strip()
    if not token.isascii() or not token.isprintable() or not token:
        raise ClientError("This is no API token. Copy it from the page where it was made.", "usage")
    said = _checked(server, token)
    path = credentials.store(server, token)
    click.echo(f"Signed in at {server}. {said} The token is stored in {path}, which only you can read.", err=True)


def is_safe(server: str) -> bool:
    """Return whether nobody in the network can read what is sent: it is encrypted, or stays on this machine."""
    url = urlsplit(server)
    try:
        is_here = url.hostname == "localhost" or ip_address(url.hostname or "").is_loopback
    except ValueError:
        is_here = False
    return url.scheme == "https" or is_here


def _checked(server: str, token: str) -> str:
    """Ask the server whether the token is valid. Return what to say about it. Raise ClientError if it is not."""
    with Client(server, token) as client:
        try:
            number = len(client.studies())
        except ClientError as error:
            if error.status != 403:
                raise
            return "The token has no scope read, so it cannot list studies."
        until = client.connection.token_expires
    said = f"You have a role in {number} {'study' if number == 1 else 'studies'}."
    return f"{said} The token is valid until {until[:10]}." if until else said


@click.command("sign-out")
@click.argument("server", default="")
def sign_out(server: str) -> None:
    """Delete the stored token of SERVER.

    Without SERVER, it is that of the last sign-in. The token stays valid until you revoke it on the page API tokens.
    """
    click.echo(f"Signed out of {credentials.forget(server)}.", err=True)


COMMANDS = (sign_in, sign_out)
