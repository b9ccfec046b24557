"""What a process imports once, so that its copies start at once: the product, on the database of its environment."""

import django

django.setup()

import tests.annotation.at_once  # noqa: E402, F401 - needs the line above
