"""When each periodic task last ended well."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0012_promises")]

    operations = [
        migrations.CreateModel(
            name="Sweep",
            fields=[
                ("task", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("ended_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
    ]
