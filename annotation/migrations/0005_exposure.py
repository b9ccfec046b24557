import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

KEEP = "CREATE TABLE annotation_exposure_before AS SELECT * FROM annotation_exposure"
# What was not reported stands as expected; of pairs that were not shown yet it lapses when the lease ends.
CARRY_OVER = """
INSERT INTO annotation_exposure
       (assignment_id, study_id, person_id, day, revealed_s, expected_s, lapses_s, hidden, too_distressing)
SELECT before.assignment_id, before.study_id, before.person_id, before.day, coalesce(before.revealed_s, 0),
       CASE WHEN before.revealed_s IS NULL THEN before.expected_s ELSE 0 END,
       CASE WHEN before.revealed_s IS NULL AND assignment.shown_at IS NULL THEN before.expected_s ELSE 0 END,
       before.hidden, before.too_distressing
  FROM annotation_exposure_before before JOIN annotation_assignment assignment ON assignment.id = before.assignment_id;
DROP TABLE annotation_exposure_before;
"""
# What every answer so far has tagged; the triggers of videos take it on to videos of the same bytes and to pairs.
TAGS_SO_FAR = """
UPDATE catalog_video video SET may_show = found.harms
  FROM (SELECT video_id, array_agg(DISTINCT tag ORDER BY tag) AS harms
          FROM (SELECT pair.video_0_id AS video_id, unnest(annotation.tags_video_0) AS tag
                  FROM annotation_annotation annotation
                  JOIN annotation_assignment assignment ON assignment.id = annotation.assignment_id
                  JOIN catalog_pair pair ON pair.id = assignment.pair_id
                 UNION
                SELECT pair.video_1_id, unnest(annotation.tags_video_1)
                  FROM annotation_annotation annotation
                  JOIN annotation_assignment assignment ON assignment.id = annotation.assignment_id
                  JOIN catalog_pair pair ON pair.id = assignment.pair_id) tagged
         GROUP BY video_id) found
 WHERE video.id = found.video_id
"""


class Migration(migrations.Migration):

    dependencies = [
        ('annotation', '0004_tags_unnoted_fewer_indexes'),
        ('catalog', '0009_known_harm_and_lanes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='assignment',
            name='lease_number',
            field=models.PositiveSmallIntegerField(db_default=1, default=1, help_text='How often the queue or review has given it to the person, this time included'),
        ),
        # The key changes from the assignment to the assignment and the day.
        migrations.RunSQL(KEEP, migrations.RunSQL.noop),
        migrations.DeleteModel(name='Exposure'),
        migrations.CreateModel(
            name='Exposure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(help_text="In the person's time zone")),
                ('revealed_s', models.FloatField(db_default=0, default=0, help_text='Seconds of harmful video that were revealed, as reported')),
                ('expected_s', models.FloatField(db_default=0, default=0, help_text='Estimated seconds of harmful video that no report has replaced')),
                ('lapses_s', models.FloatField(db_default=0, default=0, help_text='Of the expected seconds, those that the end of the lease takes back: the pair was not shown yet, or has been reported on')),
                ('reported', models.JSONField(blank=True, db_default={}, default=dict, help_text='By showing: the highest counters that were reported, `{video_0, video_1, hidden}`')),
                ('hidden', models.PositiveIntegerField(db_default=0, default=0, help_text='Times the person hid the videos')),
                ('too_distressing', models.BooleanField(db_default=False, default=False)),
                ('assignment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='exposures', to='annotation.assignment')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exposures', to=settings.AUTH_USER_MODEL)),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exposures', to='catalog.study')),
            ],
            options={
                'indexes': [
                    models.Index(fields=['study', 'day'], name='exposure_by_day'),
                    models.Index(condition=models.Q(('lapses_s__gt', 0)), fields=['assignment'], name='exposure_lapsing'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('assignment', 'day'), name='exposure_once_a_day'),
                    models.CheckConstraint(condition=models.Q(('expected_s__gte', 0), ('lapses_s__gte', 0), ('revealed_s__gte', 0)), name='exposure_not_negative'),
                    models.CheckConstraint(condition=models.Q(('lapses_s__lte', models.F('expected_s'))), name='exposure_lapses_within_expected'),
                ],
            },
        ),
        migrations.RunSQL(CARRY_OVER, migrations.RunSQL.noop),
        migrations.RunSQL(TAGS_SO_FAR, migrations.RunSQL.noop),
    ]
