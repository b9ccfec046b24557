from django.db import migrations

# A safety-critical prompt that nobody labelled may show anything: that is what `other_harmful` stands for here.
FROM_LABELS = """
UPDATE catalog_pair pair
   SET may_show = CASE WHEN prompt.labels IS NOT NULL THEN prompt.labels ELSE ARRAY['other_harmful'] END
  FROM catalog_prompt prompt
 WHERE prompt.id = pair.prompt_id
   AND (prompt.labels <> '{}' OR (prompt.labels IS NULL AND prompt.prompt_type = 'safety_critical'))
"""


class Migration(migrations.Migration):

    dependencies = [("catalog", "0002_documents_lanes_protection")]

    operations = [migrations.RunSQL(FROM_LABELS, migrations.RunSQL.noop)]
