"""What media tells higher apps. Receivers run inside the transaction and only write rows."""

from django.dispatch import Signal

#: Preparing an asset has ended. Arguments: `asset`; `state` (done, failed or cancelled); `reason` (why it failed, or
#: empty).
asset_finished = Signal()

#: Files of an asset were stored after somebody else took it over. Argument: `asset`.
files_left_behind = Signal()
