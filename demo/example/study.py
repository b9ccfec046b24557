"""The study of the example, and the people of the demo in it."""

from django.db import transaction

from accounts.models import User
from accounts.tokens import issue_token
from demo.example import SLUG, TITLE
from diptych.embedded.state import Home, write_private
from simulation.material import Simulated, make_study, simulated_of
from studies.memberships import join
from studies.models import Study
from studies.models.memberships import Role

SEED = 1
#: Four researchers, so that somebody who has not judged an answer can always adjudicate it.
ANNOTATORS, REVIEWERS, RESEARCHERS = 12, 3, 4
TOKEN_NAME = "training worker"  # noqa: S105 - a label
#: People of the demo who see the example. Annotators have the study *demo* for trying.
MEMBERS = {"researcher": Role.RESEARCHER, "admin": Role.ADMIN, "reviewer": Role.REVIEWER}
SETTINGS = {
    "title": TITLE,
    "sample_share": 0.1,
    "sample_overlap": 3,
    "test_share": 0.3,
    "secondary_share": 0.3,
}


def existing() -> Study | None:
    """Return the example's study, or None."""
    return Study.objects.filter(slug=SLUG, is_simulated=True).first()


@transaction.atomic
def get_or_make() -> Simulated:
    """Return the study with its simulated people, made if it is missing, and let the people of the demo join it."""
    study = existing()
    if study is None:
        teams = {"people": ANNOTATORS, "reviewers": REVIEWERS, "researchers": RESEARCHERS}
        simulated = make_study(SLUG, SEED, overlap=1, settings=SETTINGS, **teams)
    else:
        simulated = simulated_of(study)
    for username, role in MEMBERS.items():
        person = User.objects.filter(username=username).first()
        if person is not None and not person.memberships.filter(study=simulated.study, role=role).exists():
            join(simulated.study, person, role)
    return simulated


def researcher() -> User:
    """Return who makes releases and rules: the researcher of the demo, or a simulated one."""
    study = Study.objects.get(slug=SLUG)
    return (
        User.objects.filter(username="researcher", memberships__study=study).first()
        or (simulated_of(study).researchers[0])
    )


def write_worker_token(home: Home) -> None:
    """Write a token for the training worker of this machine, unless the file is there."""
    path = home.path / "training-token"
    if path.exists():
        return
    write_private(path, issue_token(researcher(), scopes=["train", "export"], name=TOKEN_NAME) + "\n")
