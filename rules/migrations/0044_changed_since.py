import django.db.models.deletion
from django.contrib.postgres.indexes import BrinIndex
from django.db import migrations, models


# Of the largest tables, by which it is known in a moment that nothing has changed since (rules.figures): a summary of
# each 128 pages instead of an entry for each row, so that it costs whoever writes next to nothing. Indexes of foreign keys go where another one begins with the same column.
class Migration(migrations.Migration):

    dependencies = [
        ('rules', '0043_undelivered'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='delivery',
            index=BrinIndex(autosummarize=True, fields=['updated_at'], name='delivery_changed'),
        ),
        migrations.AddIndex(
            model_name='outcome',
            index=BrinIndex(autosummarize=True, fields=['updated_at'], name='outcome_changed'),
        ),
        migrations.AlterField(
            model_name='attempt',
            name='delivery',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='attempts', to='rules.delivery'),
        ),
        migrations.AlterField(
            model_name='formerbody',
            name='answer',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='former_bodies', to='rules.answer'),
        ),
    ]
