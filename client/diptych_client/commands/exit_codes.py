"""How the command `diptych` ends. The table in docs/client.md has the same numbers."""

from enum import IntEnum

from diptych_client.errors import ClientError


class Exit(IntEnum):
    """The exit status of the command, with what it means."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> "Exit":
        member = int.__new__(cls, value)
        member._value_, member.meaning = value, meaning
        return member

    DONE = 0, "done"
    FAILED = 1, "refused or failed for a reason that no other number has; the sentence says which"
    USAGE = 2, "the command is not written as it must be"
    NOT_SIGNED_IN = 3, "you are not signed in, or the token is not valid any more"
    NOT_ALLOWED = 4, "the token, or your roles, do not allow it"
    NOT_FOUND = 5, "there is no such study, release or file"
    WITHDRAWN = 6, "the release was withdrawn"
    NOT_COMPLETE = 7, "the release is not complete, or one of its videos is in quarantine"
    UNREACHABLE = 8, "the server cannot be reached, or was busy for a minute"
    MACHINE = 9, "this machine: the disk is full, a folder cannot be written, or another program downloads into it"
    FOLDER = 10, "a folder or file is damaged, is no release, or has something else"
    INTERRUPTED = 130, "you stopped the command"


BY_CODE = {
    "usage": Exit.USAGE,
    "not_signed_in": Exit.NOT_SIGNED_IN,
    "not_found": Exit.NOT_FOUND,
    "withdrawn": Exit.WITHDRAWN,
    "not_complete": Exit.NOT_COMPLETE,
    "quarantined": Exit.NOT_COMPLETE,
    "unreachable": Exit.UNREACHABLE,
    "no_diptych": Exit.UNREACHABLE,
    "disk_full": Exit.MACHINE,
    "busy_folder": Exit.MACHINE,
    "not_empty": Exit.FOLDER,
    "damaged": Exit.FOLDER,
    "wrong_path": Exit.FOLDER,
}
BY_STATUS = {
    401: Exit.NOT_SIGNED_IN,
    403: Exit.NOT_ALLOWED,
    404: Exit.NOT_FOUND,
    429: Exit.UNREACHABLE,
    502: Exit.UNREACHABLE,
    503: Exit.UNREACHABLE,
    504: Exit.UNREACHABLE,
}


def exit_code(error: ClientError) -> Exit:
    """Return the exit status for an error."""
    return BY_CODE.get(error.code) or BY_STATUS.get(error.status) or Exit.FAILED
