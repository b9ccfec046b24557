"""Signals of this app for higher apps. Receivers run inside the transaction and only write rows."""

from django.dispatch import Signal

#: Pairs were quarantined. Argument: `pairs`, their ids in any study, locked and held.
#: Receivers end all leases of these pairs now, without waiting for another lock.
assets_quarantined = Signal()
#: Pairs are no longer in quarantine. Argument: `pairs`, their ids in any study, locked.
pairs_released = Signal()
