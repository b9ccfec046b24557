"""Parts of the page of a release that higher apps add in `AppConfig.ready()`: links to their pages, and sections.

Only a complete release that was not withdrawn has them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils.functional import Promise

from releases.models import Release


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link to a page about one release, by its name in the URL configuration."""

    label: Promise
    page: str
    #: Links are sorted by this number.
    order: int
    #: Whether the release has such a page. None: every release has it.
    shown: Callable[[Release], bool] | None = None


class Address(NamedTuple):
    """A link to a page of a certain release."""

    label: Promise
    address: str


class Section(NamedTuple):
    """A section. Its template has the variables of the page, and `about`."""

    template: str
    about: Mapping[str, Any]


#: Links by name.
page_links: dict[str, PageLink] = {}
#: By name: functions that return a section of a release's page. None: the release has no such section.
sections: dict[str, Callable[[Release], Section | None]] = {}


def links_of(release: Release) -> list[Address]:
    """Return the links of a release to pages of higher apps."""
    arguments = [release.study.slug, release.number]
    mine = [link for link in page_links.values() if link.shown is None or link.shown(release)]
    return [
        Address(link.label, reverse(link.page, args=arguments)) for link in sorted(mine, key=lambda link: link.order)
    ]


def sections_of(release: Release) -> list[Section]:
    """Return the sections of a release that higher apps add."""
    return [section for make in sections.values() if (section := make(release)) is not None]
