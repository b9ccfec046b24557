"""Tasks of lots and reviews."""

from celery import shared_task

from qc import more_opinions


@shared_task
def ask_for_more_opinions() -> int:
    """Ask for more answers where new or changed answers disagree. Return how many answers were looked at."""
    looked_at = 0
    while done := more_opinions.ask_where_due():
        looked_at += done
    return looked_at


@shared_task
def find_disagreement() -> int:
    """Ask for more answers wherever answers disagree. Return how many were asked for."""
    return more_opinions.ask_everywhere()
