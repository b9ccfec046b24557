"""Sections that other apps add to the page of an import. They register them in `AppConfig.ready()`."""

from collections.abc import Callable

from importing.models import Import

#: Functions that return the template of a section, or an empty string for no section. The template has the variables of
#: the page. They have names, so that an app whose `ready()` runs twice adds its section only once.
import_sections: dict[str, Callable[[Import], str]] = {}


def sections_of(job: Import) -> list[str]:
    """Return the templates of the sections of the import's page."""
    return [template for section in import_sections.values() if (template := section(job))]
