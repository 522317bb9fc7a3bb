from django.db import migrations, models

# What waits is in its lane's next_due, whoever made it wait. Nothing is written where the lane is due as early
# already, so that many answers of one account do not wait for each other. The shared lock (rules.delivery.lane)
# keeps whoever sets next_due to later from overlooking what is not committed yet; it is taken before the lane is
# read, and nobody ever waits for it. Lanes are written in one order, so that no two statements wait in a ring.
FOLLOW = """
CREATE FUNCTION rules_follow_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lane record;
BEGIN
    FOR lane IN
        SELECT account_id, min(due_at) AS due FROM moved WHERE state = 'waiting'
        GROUP BY account_id ORDER BY account_id
    LOOP
        PERFORM pg_advisory_xact_lock_shared(7107, (lane.account_id % 256)::int);
        UPDATE accounts_lane SET next_due = lane.due
        WHERE account_id = lane.account_id AND (next_due IS NULL OR next_due > lane.due);
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER rules_follow_new AFTER INSERT ON rules_delivery REFERENCING NEW TABLE AS moved
FOR EACH STATEMENT EXECUTE FUNCTION rules_follow_deliveries();
CREATE TRIGGER rules_follow_changed AFTER UPDATE ON rules_delivery REFERENCING NEW TABLE AS moved
FOR EACH STATEMENT EXECUTE FUNCTION rules_follow_deliveries();
"""
FOLLOW_NO_MORE = """
DROP TRIGGER rules_follow_new ON rules_delivery;
DROP TRIGGER rules_follow_changed ON rules_delivery;
DROP FUNCTION rules_follow_deliveries();
"""
WHAT_WAITS = """
UPDATE accounts_lane l SET next_due = found.due FROM (
    SELECT account_id, min(CASE state WHEN 'waiting' THEN due_at ELSE claimed_at END) AS due
    FROM rules_delivery WHERE state IN ('waiting', 'sending') GROUP BY account_id
) found WHERE l.account_id = found.account_id;
UPDATE accounts_lane l SET review_at = now() WHERE EXISTS (
    SELECT FROM rules_delivery d WHERE d.account_id = l.account_id AND d.state IN ('waiting', 'held')
);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_lane'),
        ('rules', '0007_second_look'),
    ]

    operations = [
        migrations.AddField(
            model_name='rule',
            name='release_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name='rule',
            index=models.Index(condition=models.Q(('release_at__isnull', False)), fields=['release_at'], name='rule_to_release'),
        ),
        migrations.RemoveIndex(model_name='delivery', name='delivery_held'),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state', 'held')), fields=['account', 'held_because', 'id'], name='delivery_held'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state', 'held')), fields=['rule', 'held_because', 'id'], name='delivery_held_by_rule'),
        ),
        migrations.RunSQL(FOLLOW, FOLLOW_NO_MORE),
        migrations.RunSQL(WHAT_WAITS, migrations.RunSQL.noop),
    ]
