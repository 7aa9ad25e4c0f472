"""Names as they are asked for, so that who is called exactly so is found without spelling every other name.

And the words of works stand in their index at once, where each search would else read through the latest of them.
"""

import django.contrib.postgres.indexes
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("catalog", "0009_sheet_facts")]
    operations = [
        migrations.RunSQL(
            # By a hash, which names of any length fit.
            "CREATE INDEX creator_named ON catalog_creator USING hash (catalog_search_text(name));"
            "CREATE INDEX release_named ON catalog_release USING hash (catalog_search_text(title));",
            "DROP INDEX creator_named; DROP INDEX release_named;",
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER INDEX finding_words SET (fastupdate = off);SELECT gin_clean_pending_list('finding_words');",
                    "ALTER INDEX finding_words RESET (fastupdate);",
                )
            ],
            state_operations=[
                migrations.RemoveIndex(model_name="finding", name="finding_words"),
                migrations.AddIndex(
                    model_name="finding",
                    index=django.contrib.postgres.indexes.GinIndex(
                        fields=["vector"], name="finding_words", fastupdate=False
                    ),
                ),
            ],
        ),
    ]
