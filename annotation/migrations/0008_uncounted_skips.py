"""A skip without a reason, of a pair that its person did not want to reveal, is a kind of its own."""

from django.db import migrations, models

REASONS = ["technical_problem", "cannot_judge", "too_distressing", "not_revealed"]


class Migration(migrations.Migration):
    dependencies = [("annotation", "0005_exposure")]

    operations = [
        migrations.RemoveConstraint(model_name="assignment", name="assignment_skipped_with_reason"),
        migrations.AddConstraint(
            model_name="assignment",
            constraint=models.CheckConstraint(
                name="assignment_skipped_with_reason",
                condition=models.Q(("skip_reason__in", REASONS), ("state", "skipped"))
                | models.Q(models.Q(("state", "skipped"), _negated=True), ("skip_reason", "")),
            ),
        ),
    ]
