"""Signals of findings. Receivers run in the same transaction."""

from django.dispatch import Signal

#: Findings were made, ended, dismissed or brought back. Sent with `assignments`, the keys of their answers. The
#: findings are locked, and nothing else of these answers is.
findings_changed = Signal()
