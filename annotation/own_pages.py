"""Pages of higher apps to which the workspace links: a person's own pages in the study."""

from django.urls import reverse

from studies.models import Study

#: Names in the URL configuration, by what the page is: `consent` and `my_work`. Higher apps add theirs in `ready()`.
own_pages: dict[str, str] = {}


def addresses(study: Study) -> dict[str, str]:
    """Return the addresses of the person's own pages in the study."""
    return {page: reverse(name, args=[study.slug]) for page, name in own_pages.items()}
