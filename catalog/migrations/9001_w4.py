"""Help texts in plain words."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='batch',
            name='import_number',
            field=models.BigIntegerField(blank=True, help_text='Number of the import that added it', null=True),
        ),
        migrations.AlterField(
            model_name='pair',
            name='held_before',
            field=models.CharField(blank=True, db_default='', default='', help_text='Value of `held` before the quarantine', max_length=200),
        ),
        migrations.AlterField(
            model_name='pair',
            name='import_number',
            field=models.BigIntegerField(blank=True, help_text='Number of the import that added it', null=True),
        ),
        migrations.AlterField(
            model_name='pair',
            name='in_sample',
            field=models.BooleanField(db_default=False, default=False, help_text='Drawn at random at import for extra answers, on which agreement is measured'),
        ),
        migrations.AlterField(
            model_name='pair',
            name='look_alike',
            field=models.BooleanField(db_default=False, default=False, help_text='The two videos look almost identical'),
        ),
        migrations.AlterField(
            model_name='pairschange',
            name='before',
            field=models.JSONField(blank=True, help_text='Sums before the change', null=True),
        ),
        migrations.AlterField(
            model_name='pairschange',
            name='choice',
            field=models.JSONField(default=dict, help_text='Selection of pairs'),
        ),
        migrations.AlterField(
            model_name='pairschange',
            name='made',
            field=models.JSONField(blank=True, help_text='Batches created and emptied', null=True),
        ),
        migrations.AlterField(
            model_name='pairschange',
            name='reached',
            field=models.PositiveBigIntegerField(default=0, help_text='Id of the last pair that is done'),
        ),
        migrations.AlterField(
            model_name='pairschange',
            name='until',
            field=models.PositiveBigIntegerField(help_text='Id of the study’s last pair when the change was started'),
        ),
        migrations.AlterField(
            model_name='pairschange',
            name='value',
            field=models.IntegerField(db_default=0, default=0, help_text='The new value of the pairs; for batches, pairs per batch'),
        ),
        migrations.AlterField(
            model_name='pairschange',
            name='why',
            field=models.CharField(blank=True, db_default='', default='', help_text='Reason for the hold', max_length=200),
        ),
        migrations.AlterField(
            model_name='prompt',
            name='import_number',
            field=models.BigIntegerField(blank=True, help_text='Number of the import that added it', null=True),
        ),
        migrations.AlterField(
            model_name='prompt',
            name='labels',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=24), blank=True, help_text='Harm keys; null: not labelled', null=True, size=None),
        ),
        migrations.AlterField(
            model_name='provenance',
            name='terms',
            field=models.TextField(blank=True, help_text='What the terms allow, and where they are published.'),
        ),
        migrations.AlterField(
            model_name='video',
            name='file_name',
            field=models.TextField(blank=True, db_default='', default='', help_text='Path of the file, as written in the import'),
        ),
        migrations.AlterField(
            model_name='video',
            name='import_number',
            field=models.BigIntegerField(blank=True, help_text='Number of the import that added it', null=True),
        ),
        migrations.AlterField(
            model_name='video',
            name='may_show',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=24), blank=True, db_default=[], default=list, help_text='Harm keys that answers name for its bytes. Protects viewers; never a label', size=None),
        ),
        migrations.AlterField(
            model_name='video',
            name='video_text',
            field=models.TextField(blank=True, help_text='Text given to the generator; empty: the prompt'),
        ),
    ]
