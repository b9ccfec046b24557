"""A new study announces no harm by itself."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0010_memberships")]

    operations = [
        migrations.AlterField(
            model_name="study",
            name="categories",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=24),
                blank=True,
                default=list,
                help_text="Harms that the study's videos may show. People agree to each by name before their first pair.",
                size=None,
            ),
        ),
        migrations.AlterField(
            model_name="study",
            name="require_seen_through",
            field=models.BooleanField(
                default=False,
                help_text="An answer is taken only when both videos were watched to their end once.",
            ),
        ),
    ]
