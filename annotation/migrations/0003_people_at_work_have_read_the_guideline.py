from django.db import migrations

HAVE_READ = """
UPDATE annotation_seat seat SET guideline_read = study.guideline_version
  FROM catalog_study study WHERE study.id = seat.study_id
"""


class Migration(migrations.Migration):

    dependencies = [("annotation", "0002_positions_protection_offers")]

    operations = [migrations.RunSQL(HAVE_READ, migrations.RunSQL.noop)]
