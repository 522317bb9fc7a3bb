from django.db import migrations, models

# As rules.0008 does for what waits: a lane's look_at is never later than the first look that is planned in it. It
# only ever moves earlier here, and nothing is written where it is early enough; whoever has looked moves it later
# (reckon_looks in rules.delivery.lane), unless somebody plans a look at that moment. The lock is that of rules.0008:
# a settlement takes both, with the lane's row in between.
LOOKS = """
CREATE FUNCTION rules_follow_looks() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lane record;
BEGIN
    FOR lane IN
        SELECT account_id, min(next_look_at) AS due FROM moved WHERE next_look_at IS NOT NULL
        GROUP BY account_id ORDER BY account_id
    LOOP
        PERFORM pg_advisory_xact_lock_shared(7107, (lane.account_id % 256)::int);
        UPDATE accounts_lane SET look_at = lane.due
        WHERE account_id = lane.account_id AND (look_at IS NULL OR look_at > lane.due);
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER rules_follow_new_looks AFTER INSERT ON rules_outcome REFERENCING NEW TABLE AS moved
FOR EACH STATEMENT EXECUTE FUNCTION rules_follow_looks();
CREATE TRIGGER rules_follow_changed_looks AFTER UPDATE ON rules_outcome REFERENCING NEW TABLE AS moved
FOR EACH STATEMENT EXECUTE FUNCTION rules_follow_looks();
"""
NO_LOOKS = """
DROP TRIGGER rules_follow_new_looks ON rules_outcome;
DROP TRIGGER rules_follow_changed_looks ON rules_outcome;
DROP FUNCTION rules_follow_looks();
"""
# An account's rules are looked at again once its lists were read, whoever read them. Whoever looks at a rule right
# now is waited for: what it reads may be older.
RECHECK = """
CREATE FUNCTION rules_recheck() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE rules_rule SET recheck_at = clock_timestamp()
    WHERE account_id = NEW.id AND NOT deleted;
    RETURN NULL;
END $$;
CREATE TRIGGER rules_recheck AFTER UPDATE OF synced_at ON accounts_account
FOR EACH ROW WHEN (NEW.synced_at IS DISTINCT FROM OLD.synced_at) EXECUTE FUNCTION rules_recheck();
"""
NO_RECHECK = """
DROP TRIGGER rules_recheck ON accounts_account;
DROP FUNCTION rules_recheck();
"""
WHAT_IS_DUE = """
UPDATE accounts_lane l SET look_at = found.due FROM (
    SELECT account_id, min(next_look_at) AS due FROM rules_outcome WHERE next_look_at IS NOT NULL GROUP BY account_id
) found WHERE l.account_id = found.account_id;
UPDATE accounts_lane SET check_at = now() WHERE next_due IS NOT NULL OR look_at IS NOT NULL;
UPDATE rules_rule r SET recheck_at = now() FROM accounts_account a
WHERE a.id = r.account_id AND a.synced_at > r.prepared_at AND NOT r.deleted;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0012_lane_looks'),
        ('rules', '0016_events'),
    ]

    operations = [
        migrations.AddField(
            model_name='rule',
            name='recheck_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name='rule',
            index=models.Index(condition=models.Q(('recheck_at__isnull', False)), fields=['recheck_at'], name='rule_to_recheck'),
        ),
        migrations.RunSQL(LOOKS, NO_LOOKS),
        migrations.RunSQL(RECHECK, NO_RECHECK),
        migrations.RunSQL(WHAT_IS_DUE, migrations.RunSQL.noop),
    ]
