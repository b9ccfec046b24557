"""Signals of this app to higher apps. Receivers run in the same transaction and only write rows."""

from django.dispatch import Signal

#: A first answer was written. Arguments: `annotation`, `standing`.
answer_submitted = Signal()

#: A later revision became the current one of an answer. Arguments: `annotation`, `standing`.
answer_revised = Signal()
