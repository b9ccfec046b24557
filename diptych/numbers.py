"""Whole numbers for people, on pages, in commands and in files: their digits in groups of three."""

from django.utils.formats import number_format


def grouped(number: int) -> str:
    """Return the number with its digits in groups of three, such as 12,345."""
    return str(number_format(number, force_grouping=True))
