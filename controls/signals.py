"""Signals of controls. Receivers run in the same transaction."""

from django.dispatch import Signal

#: A control was withdrawn. Sent with `control` and `people` (the keys of those whose figures changed). Whatever rested
#: on their figures, such as a pause, has to be told.
control_withdrawn = Signal()
