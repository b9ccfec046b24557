"""Imported once by the process that others are forked from, so that they start fast: the product and its database."""

import django

django.setup()

import tests.annotation.at_once  # noqa: E402, F401 - needs the line above
