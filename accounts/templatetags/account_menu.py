"""A template tag with the links that other apps add to the account menu."""

from typing import Any

from django import template

from accounts.menu import MenuLink, links_for

register = template.Library()


@register.simple_tag(takes_context=True)
def account_menu_links(context: dict[str, Any]) -> list[MenuLink]:
    """Return the links for the person of the request."""
    return links_for(context["request"])
