"""Tasks of charts."""

from celery import shared_task

from charts import files


@shared_task
def draw_chart(file_id: int) -> None:
    """Draw a chart as a file, if the job waits and no other worker has it."""
    files.run(file_id)
