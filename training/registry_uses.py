"""The model versions that were made from a release, for its page and for the page of withdrawals."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _

from releases.models import Release
from releases.uses import Use
from training import registry_words as words
from training.models import ModelVersion


def of_release(release: Release) -> Iterator[Use]:
    """Yield the versions that were trained on the release, with their state."""
    found = ModelVersion.objects.filter(run__release=release).select_related("family").order_by("pk")
    for version in found:
        about = {"n": version.number, "family": words.family(version.family), "state": version.get_state_display()}
        name = _("%(family)s, version %(n)s (%(state)s)") % about
        address = reverse("models:version", args=[release.study.slug, version.family_id, version.number])
        yield Use(name, address)
