"""The notice on the settings page of a study without pairs."""

from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.models import Pair
from studies.models import Study
from studies.notices import Lack


def no_pairs(study: Study) -> Lack | None:
    """Return a notice if nothing was imported yet."""
    if Pair.objects.filter(study=study).exists():
        return None
    return Lack(
        _("This study has no pairs yet. Import material, then resume the study.")
        if study.state == Study.State.PAUSED
        else _("This study has no pairs yet, so nobody can be given one."),
        (_("Start an import"), reverse("importing:new", args=[study.slug])),
    )
