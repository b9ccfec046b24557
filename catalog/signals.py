"""What this room tells the rooms above it. Receivers run inside the transaction and only write rows."""

from django.dispatch import Signal

#: Pairs went into quarantine. Argument: `pairs`, their ids in any study, locked and held.
#: Whatever gives these pairs to people ends now, without waiting for another lock.
assets_quarantined = Signal()

#: A role was taken from somebody. Arguments: `study`, `person`, `role`. What they held by it goes back.
membership_revoked = Signal()
