"""Make a study. It starts paused, and its maker is its admin and researcher."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from diptych.refusals import Refused
from studies.memberships import join
from studies.models import StateChange, Study
from studies.models.memberships import Role
from studies.settings_file import copy_settings


def create_study(*, slug: str, title: str, actor: User, like: Study | None = None) -> Study:
    """Make a study in which `actor` is admin and researcher, and return it. Raises Refused if the address is taken.

    It has the default settings, or with `like` the settings, harms and texts of that study.
    """
    try:
        with transaction.atomic():
            study = Study.objects.create(slug=slug, title=title, state=Study.State.PAUSED)
            after = {"slug": slug, "title": title, "state": study.state}
            StateChange.objects.create(study=study, step=StateChange.Step.CREATED, changed_by=actor)
            audit.record("study.created", study, actor=actor, study_slug=slug, after=after)
            make_owner(study, actor, actor=actor)
            if like is not None:
                copy_settings(like, study, actor=actor)
    except IntegrityError:
        raise Refused(_("There is already a study with this address. Choose another address.")) from None
    return study


def make_owner(study: Study, owner: User, *, actor: User | None) -> None:
    """Make a person admin and researcher of a new study."""
    for role in (Role.ADMIN, Role.RESEARCHER):
        join(study, owner, role, actor=actor)
