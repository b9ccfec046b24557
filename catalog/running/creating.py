"""Making a study: it starts paused, and whoever makes it runs it."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from catalog.memberships import join
from catalog.models import Study
from catalog.models.studies import Role


class NotMade(Exception):
    """There is no new study; `str()` says why."""


def create_study(*, slug: str, title: str, actor: User) -> Study:
    """A new study with the default settings, in which `actor` is admin and researcher. Raises NotMade."""
    try:
        with transaction.atomic():
            study = Study.objects.create(slug=slug, title=title, state=Study.State.PAUSED)
            after = {"slug": slug, "title": title, "state": study.state}
            audit.record("study.created", study, actor=actor, study_slug=slug, after=after)
            for role in (Role.ADMIN, Role.RESEARCHER):
                join(study, actor, role, actor=actor)
    except IntegrityError:
        raise NotMade(_("There is a study with this address already. Choose another.")) from None
    return study
