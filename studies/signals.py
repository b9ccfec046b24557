"""What studies tell higher apps. Receivers run inside the transaction and only write rows."""

from django.dispatch import Signal

#: A study was paused, resumed, closed or opened again. Argument: `study`, with its new state.
study_state_changed = Signal()

#: A role was taken from somebody. Arguments: `study`, `person`, `role`. What they held by it goes back.
membership_revoked = Signal()
