"""Read a CSV list of people to add. Its first line names `username`, and optionally `email` and `role`.

Cells are separated by commas, semicolons or tabs.
"""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError

from accounts.models import User
from diptych import file_kinds
from diptych.refusals import Refused
from studies.people import MOST_PEOPLE, TOKEN_SCOPES, Wanted, check_address

COLUMNS = ("username", "email", "role")


class BadLine(NamedTuple):
    """A line that cannot be used, and the reason."""

    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.column}: {self.reason}" if self.column else f"line {self.line}: {self.reason}"


def read_people(path: Path, role: str) -> tuple[list[Wanted], list[BadLine]]:
    """Return the people, in `role` unless the list has a role, and all bad lines. Raises Refused."""
    try:
        written = path.read_bytes()
        kind = file_kinds.recognised(written[: file_kinds.HEAD_BYTES])
        if kind not in (None, file_kinds.BINARY):  # a NUL character is reported with its line
            raise Refused(f"{path} is {kind.what}, but the list must be CSV: text with commas. {kind.advice}")
        text = written.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(f"{path} is not UTF-8: byte {error.start + 1} is wrong. Save it as UTF-8.") from None
    except (OSError, ValueError) as error:
        raise Refused(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    lines = text.splitlines(keepends=True)
    reader = csv.DictReader(lines, skipinitialspace=True, strict=True, delimiter=_delimiter(lines))
    people: list[Wanted] = []
    bad: list[BadLine] = []
    firsts: dict[tuple[str, str], int] = {}
    try:
        _check_header(path, reader.fieldnames or [])
        for cells in reader:
            one, faults = _person(cells, role, reader.line_num)
            first = firsts.setdefault((one.username, one.role), reader.line_num)
            if first != reader.line_num and not faults:
                faults.append(BadLine(reader.line_num, "username", f"{one.username} is also in line {first}"))
            bad += faults
            people.append(one)
    except csv.Error as error:
        bad.append(BadLine(reader.reader.line_num, "", f"This is not CSV: {error}"))
    if not people and not bad:
        raise Refused(f"{path} lists nobody.")
    if len(people) > MOST_PEOPLE:
        raise Refused(f"{path} lists {len(people)} people. At most {MOST_PEOPLE} can be added at once.")
    return people, bad


def _delimiter(lines: list[str]) -> str:
    """Return the character between cells. Excel writes semicolons in many countries. No column name contains one."""
    header = lines[0] if lines else ""
    return next((sign for sign in (",", ";", "\t") if sign in header), ",")


def _check_header(path: Path, names: Iterable[str]) -> None:
    given = [str(name).strip() for name in names]
    if "username" not in given or set(given) - set(COLUMNS) or len(given) != len(set(given)):
        said = ", ".join(given) or "nothing"
        raise Refused(
            f"The first line of {path} has the columns {said}. It must have username, and may have email and role."
        )


def _person(cells: dict[str | None, str | list[str] | None], role: str, line: int) -> tuple[Wanted, list[BadLine]]:
    said = {str(name).strip(): (value or "").strip() for name, value in cells.items() if not isinstance(value, list)}
    one = Wanted(said.get("username", ""), said.get("role") or role, said.get("email", ""))
    faults = []
    if None in cells:
        faults.append(BadLine(line, "", "There are more cells than columns"))
    if reason := _check_username(one.username):
        faults.append(BadLine(line, "username", reason))
    if one.role not in TOKEN_SCOPES:
        reason = f"There is no role {one.role!r}. The roles are {', '.join(TOKEN_SCOPES)}" if one.role else "is missing"
        faults.append(BadLine(line, "role", reason))
    if reason := check_address(one.email):
        faults.append(BadLine(line, "email", reason))
    return one, faults


def _check_username(username: str) -> str:
    """Return what is wrong with the name, or an empty string."""
    most = User._meta.get_field("username").max_length or 150
    if not username:
        return "is missing"
    if len(username) > most:
        return f"is {len(username)} characters long. At most {most} are allowed"
    try:
        UnicodeUsernameValidator()(username)
    except ValidationError:
        return f"{username!r} may contain only letters, digits and @ . + - _"
    return ""
