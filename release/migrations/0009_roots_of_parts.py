"""A part of a package keeps the root over its people's tags.

One person's proof needs the roots of the other parts. Made again from their people's keys they would
cost seconds a release, and could not be made at all once one of those keys is destroyed. Packages of
before have none: theirs are made again from the keys. No constraint: SQLite would make the table
anew, and its triggers would go with the old one.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("release", "0008_a_former_file_again")]

    operations = [
        migrations.AddField(
            model_name="releasepart",
            name="root",
            field=models.BinaryField(max_length=32, null=True),
        ),
    ]
