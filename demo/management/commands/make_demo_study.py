"""`manage.py make_demo_study`: make a study to try the platform with, its clips, and people to sign in as."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts import audit
from accounts.models import User
from accounts.people import Password, create_person, new_password, reset_password
from catalog.models import Pair
from demo.clips import make_clips
from demo.example.study import existing
from diptych.embedded.state import write_private
from diptych.refusals import Refused
from importing.progress import ShownProgress
from importing.study import ImportOptions, import_study
from jobs.progress_bar import Bar
from safety.models import Officer
from safety.officers import appoint
from studies.harms import HARM_KEYS
from studies.memberships import join
from studies.models import Membership, StateChange, Study
from studies.models.memberships import Role
from studies.people import give_token

SLUG, TITLE, SEED = "demo", "Demo: shapes in motion", 1
PEOPLE = {
    "annotator": Role.ANNOTATOR,
    "annotator2": Role.ANNOTATOR,
    "reviewer": Role.REVIEWER,
    "researcher": Role.RESEARCHER,
    "admin": Role.ADMIN,
    "wellbeing_contact": Role.WELLBEING_CONTACT,
}
#: Appointed for the whole installation, and not a member of any study.
OFFICER = "safety_officer"
TOKEN_NAME = "demo sign-in"  # noqa: S105 - a label


class Command(BaseCommand):
    help = (
        "Make the study “demo”: draw its clips, import them, add people, and write their passwords and tokens to a "
        "file that only you can read. If you run it again, it completes what is missing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--if-missing", action="store_true", help="do nothing if the study and the people file exist"
        )
        parser.add_argument(
            "--people-file",
            type=Path,
            metavar="PATH",
            help="where to write the sign-ins (default: demo-people.json in the state folder)",
        )
        parser.add_argument(
            "--clips",
            type=Path,
            metavar="DIR",
            help="where to draw the clips (default: demo-clips in the state folder)",
        )

    def handle(self, *, if_missing: bool, people_file: Path | str | None, clips: Path | str | None, **_: Any) -> None:
        people_path = Path(people_file or settings.HOME.path / "demo-people.json").resolve()
        folder = Path(clips or settings.HOME.path / "demo-clips").resolve()
        if if_missing and people_path.exists() and is_complete():
            return
        bar = Bar()
        try:
            self.fill(folder, bar)
            study = Study.objects.get(slug=SLUG)
            if not people_path.exists() or missing_people(study):
                sign_ins = set_up_people(study)
                people_path.parent.mkdir(parents=True, exist_ok=True)
                write_private(people_path, json.dumps(sign_ins, indent=2) + "\n")
        except (Refused, RuntimeError, OSError) as trouble:
            raise CommandError(f"The demo study could not be made: {trouble}") from trouble
        finally:
            bar.end()

    def fill(self, folder: Path, bar: Bar) -> None:
        """Draw the clips and import them."""
        drawn = 0

        def show(done: int, total: int) -> None:
            nonlocal drawn
            if not drawn:
                bar.begin("Drawing clips", total)
            bar.advance(done - drawn)
            drawn = done

        folder.mkdir(parents=True, exist_ok=True)
        manifest = make_clips(folder, progress=show)
        make_study()
        report = import_study(
            manifest, SLUG, options=ImportOptions(title=TITLE, seed=SEED), progress=ShownProgress(bar)
        )
        if not report.imported:
            raise CommandError(f"The demo's own material was refused: {report.bad[0]}")


@transaction.atomic
def make_study() -> None:
    """Make the study if it is missing. Its random overlap sample needs an answer from each of the two annotators."""
    values = {
        "title": TITLE,
        "seed": SEED,
        "sample_overlap": 2,
        "categories": list(HARM_KEYS),
        "help_contact": "The demo’s wellbeing contact, extension 100 · 演示研究的身心关怀联系人，分机 100",
        "pay_basis": "This is a demo, and nothing is paid. · 这是演示研究，不支付报酬。",
    }
    study, is_new = Study.objects.get_or_create(slug=SLUG, defaults=values)
    if is_new:
        StateChange.objects.create(study=study, step=StateChange.Step.CREATED)
        audit.record("study.created", study, actor=None, study_slug=SLUG, after=values)


def is_complete() -> bool:
    study = Study.objects.filter(slug=SLUG).first()
    return study is not None and Pair.objects.filter(study=study).exists() and not missing_people(study)


def missing_people(study: Study) -> bool:
    here = Membership.objects.filter(study=study).values_list("person__username", "role")
    officers = Officer.objects.in_force().of_installation().filter(person__username=OFFICER)
    return bool(set(PEOPLE.items()) - set(here)) or not officers.exists()


def set_up_people(study: Study) -> list[dict[str, str]]:
    """Give every demo person a new password and token, and create those who are missing. Raises CommandError."""
    with transaction.atomic():
        members = [_set_up(study, username, role) for username, role in PEOPLE.items()]
        return [*members, _set_up_officer(study)]


def _set_up(study: Study, username: str, role: str) -> dict[str, str]:
    person, password, is_new = _person(study, username)
    join(study, person, role, made_account=is_new)
    token, _expires = give_token(study, person, role, name=TOKEN_NAME)
    return {"role": str(role), "username": username, "password": password.text, "token": token}


def _set_up_officer(study: Study) -> dict[str, str]:
    """Make the installation's safety officer. They sign in on the pages only, because no token can open reports."""
    person, password, _is_new = _person(study, OFFICER)
    appoint(person, None, by=None)
    return {"role": OFFICER, "username": OFFICER, "password": password.text, "token": ""}


def _person(study: Study, username: str) -> tuple[User, Password, bool]:
    """Return the demo person of this name, their new password, and whether they are new. Raises CommandError."""
    password = new_password()
    person = User.objects.filter(username=username).first()
    if person is None:
        return create_person(username, password, one_time=False), password, True
    _check_is_ours(study, person)
    reset_password(person, password, one_time=False)
    return person, password, False


def _check_is_ours(study: Study, person: User) -> None:
    """Raise CommandError, rather than change the password of somebody who is not a demo person."""
    studies = set(Membership.objects.filter(person=person).values_list("study", flat=True))
    example = existing()
    others = studies - {study.pk} - ({example.pk} if example else set())
    if (others or study.pk not in studies) and not _is_our_officer(person, studies):
        raise CommandError(
            f"There is already a person called {person.username} who also belongs to other studies than the demo. "
            "Their password was not replaced, and no sign-ins were written. Use a separate database for the demo."
        )


def _is_our_officer(person: User, studies: set[int]) -> bool:
    """Return whether an earlier run of this command made the safety officer."""
    appointed = Officer.objects.of(person.pk).of_installation().filter(appointed_by=None)
    return person.username == OFFICER and not studies and appointed.exists()
