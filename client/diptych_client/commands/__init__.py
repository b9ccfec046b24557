"""The command `diptych`: sign in, list, download, read, convert and publish releases, and score videos."""

import errno
import os
import sys

import click

from diptych_client import __version__
from diptych_client.commands import folders, lists, models, sign_ins
from diptych_client.commands.exit_codes import Exit, exit_code
from diptych_client.errors import ClientError
from diptych_client.release_folder import FolderError

EPILOG = "Quick start, steps and exit codes: docs/client.md of Diptych."


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="diptych")
def diptych() -> None:
    """Work with the releases of a Diptych server."""


for command in (*sign_ins.COMMANDS, *lists.COMMANDS, *folders.COMMANDS, *models.COMMANDS):
    diptych.add_command(command)


def main() -> None:
    """Run the command that the arguments name. Say what a person can change in one sentence, with an exit status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command with these arguments. Return its exit status."""
    try:
        diptych.main(arguments, prog_name="diptych", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _failed("You stopped the command. Run it again to continue.", Exit.INTERRUPTED)
    except ClientError as error:
        return _failed(str(error), exit_code(error))
    except FolderError as error:
        return _failed(str(error), Exit.FOLDER)
    except BrokenPipeError:  # the reader of the output has ended, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    except OSError as error:
        return _failed(_about(error), Exit.MACHINE)
    return Exit.DONE


def _failed(sentence: str, status: Exit) -> int:
    click.echo(f"Error: {sentence}", err=True)
    return status


def _about(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full. Free space and run the command again: it continues where it stopped."
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}. Check the path and its permissions."
