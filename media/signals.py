"""Signals to higher apps. Receivers run inside the transaction and only write rows."""

from django.dispatch import Signal

#: The preparation of an asset has ended. Arguments: `asset`; `state` (done, failed or cancelled); `reason` (why it
#: failed as `Asset.reason` stores it, or empty).
asset_finished = Signal()

#: A worker stored files of an asset after another one had taken it over. Argument: `asset`.
files_left_behind = Signal()
