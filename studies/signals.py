"""Signals of this app for higher apps. Receivers run inside the transaction and only write rows."""

from django.dispatch import Signal

#: A study was paused, resumed, closed or reopened. Argument: `study`, with its new state.
study_state_changed = Signal()

#: A role was revoked. Arguments: `study`, `person`, `role`. Receivers release the pairs of the person.
membership_revoked = Signal()
