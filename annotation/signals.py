"""What annotation tells higher apps. Receivers run inside the transaction and only write rows."""

from django.dispatch import Signal

#: An annotation was written. Arguments: `annotation`, `standing`.
answer_submitted = Signal()

#: A later revision became an answer's current one. Arguments: `annotation`, `standing`.
answer_revised = Signal()
