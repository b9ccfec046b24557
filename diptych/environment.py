"""Read settings from environment variables, and list everything that is missing or wrong in one message."""

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured


class SettingsError(ImproperlyConfigured):
    """An error whose text lists every setting that is missing or wrong, with one sentence each."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One environment variable: its meaning, its default, and when it is required.

    Attributes:
        meaning: what the variable is, as a noun phrase for the documentation and for errors.
        default: the value that holds if the variable is not set.
        default_words: what the documentation says about the default, if not its value.
        required_with: the choice that makes it required, such as `DIPTYCH_MODE=production`.
        example: a value to copy and change.
        among: the values that are allowed; empty if it is not a choice.
        read_by: the part of the product, or the program, that reads it; empty if `diptych.settings` does.
    """

    name: str
    meaning: str
    default: str = ""
    default_words: str = ""
    required_with: str = ""
    example: str = ""
    among: tuple[str, ...] = ()
    read_by: str = ""


class Environment:
    """The variables of the environment, read by their declarations, and the problems found so far.

    An empty variable counts as one that is not set, so that docker-compose.yml can pass every setting on.
    """

    def __init__(self, variables: Mapping[str, str], settings: Sequence[Setting]) -> None:
        self.settings = {setting.name: setting for setting in settings}
        self.problems: list[str] = []
        self._values = {name: variables.get(name, "").strip() or self.settings[name].default for name in self.settings}

    def text(self, name: str) -> str:
        """Return the value, or the default. A required setting without a value is reported as a problem."""
        setting, value = self.settings[name], self._values[name]
        if not value and self._is_required(setting):
            self.problems.append(f"{name} is not set. Give {setting.meaning}{for_example(setting)}.")
        return value

    def choice(self, name: str) -> str:
        """Return the value.

        A value that is not allowed is reported as a problem, and the first allowed one is returned.
        """
        allowed = self.settings[name].among
        if self._values[name] not in allowed:
            self.refuse(name, f"must be one of {', '.join(allowed)}")
            self._values[name] = allowed[0]
        return self._values[name]

    def integer(self, name: str, *, least: int = 0) -> int:
        """Return a whole number of at least `least`.

        Anything else is reported as a problem, and the default is returned.
        """
        text = self.text(name)
        if not (text.isascii() and text.isdigit() and int(text) >= least):
            self.refuse(name, f"must be a whole number of {least} or more")
            return int(self.settings[name].default)
        return int(text)

    def number(self, name: str) -> float:
        """Return a number above 0. Anything else is reported as a problem, and the default is returned."""
        try:
            number = float(self.text(name))
        except ValueError:
            number = math.nan
        if not 0 < number < math.inf:
            self.refuse(name, "must be a number above 0")
            return float(self.settings[name].default)
        return number

    def items(self, name: str, separator: str = ",") -> list[str]:
        """Return the parts between separators, without surrounding spaces and without empty parts."""
        return [part.strip() for part in self.text(name).split(separator) if part.strip()]

    def refuse(self, name: str, rule: str) -> None:
        """Report a value that breaks a rule, such as “must be a number”.

        The value is printed, so do not use this for secrets.
        """
        self.problems.append(f"{name} is {self._values[name]!r}. It {rule}{for_example(self.settings[name])}.")

    def refuse_secret(self, name: str, rule: str) -> None:
        """Report a value that breaks a rule and may hold a password. The value is not printed."""
        self.problems.append(f"{name} cannot be used. It {rule}{for_example(self.settings[name])}.")

    def report(self, problem: str) -> None:
        """Report a problem that needs a sentence of its own."""
        self.problems.append(problem)

    def check(self) -> None:
        """Raise SettingsError with all problems, if there are any."""
        if not self.problems:
            return
        count = len(self.problems)
        raise SettingsError(
            f"Diptych cannot start: {count} {'setting is' if count == 1 else 'settings are'} missing or wrong.\n"
            + "".join(f"  - {problem}\n" for problem in self.problems)
            + "Settings are environment variables; with Docker Compose, write them into the file .env. "
            "All are described in docs/operators/settings.md."
        )

    def _is_required(self, setting: Setting) -> bool:
        choice, _, value = setting.required_with.partition("=")
        return bool(choice) and self._values[choice] == value


def for_example(setting: Setting) -> str:
    """Return the end of a sentence that shows how to set a variable; empty if there is no example."""
    return f", for example {setting.name}={setting.example}" if setting.example else ""


def exit_if_wrong() -> None:
    """Load Django's settings. If they are wrong, or the state folder is, print why and exit without a traceback."""
    from django.conf import settings

    from diptych.embedded import EmbeddedError

    try:
        settings.INSTALLED_APPS  # noqa: B018 - the first access loads the settings
    except (SettingsError, EmbeddedError) as error:
        sys.exit(str(error))
