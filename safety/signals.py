"""What safety tells higher apps. Receivers run inside the transaction and only write rows."""

from django.dispatch import Signal

#: Pairs went into quarantine. Argument: `pairs`, their ids in any study, locked and held.
#: Whatever gives these pairs to people ends now, without waiting for another lock.
assets_quarantined = Signal()
