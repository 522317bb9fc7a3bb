"""Answers, deliveries, outcomes, problems and incidents tell what happens to them (accounts.events).

Many statements move deliveries and answers come by hundreds, so triggers of the database write the outbox: in the
statement that moves them, one INSERT for all its rows, and in the transaction of the move. EVENT_DAYS=0 switches them
off by a parameter of the connection.
"""

from django.db import migrations

UNLESS_OFF = "current_setting('quiz_crm.events', true) IS DISTINCT FROM 'off'"
TELL = f"""
CREATE FUNCTION rules_tell_answers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_newevent (owner, type, at, data)
    SELECT account_id, 'answer.accepted', clock_timestamp(), jsonb_build_object(
        'quizID', quiz_id, 'answerID', answer_id, 'revision', revision, 'complete', complete)
    FROM fresh ORDER BY id;
    RETURN NULL;
END $$;
CREATE TRIGGER answer_told AFTER INSERT ON rules_answer REFERENCING NEW TABLE AS fresh
FOR EACH STATEMENT WHEN ({UNLESS_OFF}) EXECUTE FUNCTION rules_tell_answers();

CREATE FUNCTION rules_tell_revised() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_newevent (owner, type, at, data)
    VALUES (NEW.account_id, 'answer.accepted', clock_timestamp(), jsonb_build_object(
        'quizID', NEW.quiz_id, 'answerID', NEW.answer_id, 'revision', NEW.revision, 'complete', NEW.complete));
    RETURN NULL;
END $$;
CREATE TRIGGER answer_revised AFTER UPDATE OF revision ON rules_answer FOR EACH ROW
WHEN (NEW.revision <> OLD.revision AND {UNLESS_OFF}) EXECUTE FUNCTION rules_tell_revised();

-- Planned anew each time: a plan that was made for one row would compare two thousand with two thousand.
CREATE FUNCTION rules_tell_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    told text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        told := $q$ SELECT m.*, m.held_because AS because, 'delivery.held' AS type FROM moved m WHERE state = 'held' $q$;
    ELSIF EXISTS (SELECT FROM was WHERE state = 'held')
       OR EXISTS (SELECT FROM moved WHERE state IN ('held', 'delivered') OR delivered_at IS NOT NULL) THEN
        told := $q$
            SELECT m.*, CASE WHEN m.state = 'held' THEN m.held_because ELSE o.held_because END AS because, CASE
                WHEN m.state = 'delivered' AND o.state <> 'delivered' THEN 'delivery.delivered'
                WHEN m.delivered_at IS NOT NULL AND o.delivered_at IS NULL THEN 'delivery.delivered'
                WHEN m.state = 'held' AND m.held_because <> o.held_because THEN 'delivery.held'
                WHEN m.state = 'waiting' AND o.state = 'held' THEN 'delivery.released' END AS type
            FROM moved m JOIN was o ON o.id = m.id $q$;
    END IF;
    IF told IS NULL OR TG_OP = 'INSERT' AND NOT EXISTS (SELECT FROM moved WHERE state = 'held') THEN
        RETURN NULL;
    END IF;
    EXECUTE format($q$
        INSERT INTO accounts_newevent (owner, type, at, data)
        SELECT n.owner, n.type, clock_timestamp(), jsonb_build_object(
            'crm', c.crm, 'crmAccountID', c.id, 'quizID', n.quiz_id, 'answerID', a.answer_id, 'deliveryID', n.id,
            'state', n.state, 'heldBecause', n.because, 'leadID', n.remote_id)
        FROM (%s) n JOIN rules_answer a ON a.id = n.answer_id JOIN accounts_account c ON c.id = n.account_id
        WHERE n.type IS NOT NULL ORDER BY n.id $q$, told);
    RETURN NULL;
END $$;
CREATE TRIGGER delivery_new_told AFTER INSERT ON rules_delivery REFERENCING NEW TABLE AS moved
FOR EACH STATEMENT WHEN ({UNLESS_OFF}) EXECUTE FUNCTION rules_tell_deliveries();
CREATE TRIGGER delivery_told AFTER UPDATE ON rules_delivery REFERENCING OLD TABLE AS was NEW TABLE AS moved
FOR EACH STATEMENT WHEN ({UNLESS_OFF}) EXECUTE FUNCTION rules_tell_deliveries();

CREATE FUNCTION rules_tell_outcome() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_newevent (owner, type, at, data)
    SELECT NEW.owner, 'outcome.changed', clock_timestamp(), jsonb_build_object(
        'crm', c.crm, 'crmAccountID', c.id, 'quizID', NEW.quiz_id, 'answerID', a.answer_id, 'deliveryID', NEW.delivery_id,
        'changed', to_jsonb(array_remove(ARRAY[
            CASE WHEN (NEW.pipeline, NEW.step) <> (OLD.pipeline, OLD.step) THEN 'step' END,
            CASE WHEN NEW.status <> OLD.status THEN 'status' END,
            CASE WHEN NEW.performer <> OLD.performer THEN 'performer' END,
            CASE WHEN (NEW.amount, NEW.currency) IS DISTINCT FROM (OLD.amount, OLD.currency) THEN 'amount' END,
            CASE WHEN NEW.paid IS DISTINCT FROM OLD.paid THEN 'paid' END,
            CASE WHEN (NEW.record, NEW.record_id) <> (OLD.record, OLD.record_id) THEN 'record' END,
            CASE WHEN NEW.gone <> OLD.gone THEN 'gone' END], NULL)),
        'status', NEW.status, 'pipelineID', NEW.pipeline, 'stepID', NEW.step, 'performerID', NEW.performer,
        'amount', coalesce(NEW.amount::text, ''), 'currency', NEW.currency, 'paid', coalesce(NEW.paid::text, ''),
        'recordID', NEW.record_id, 'gone', NEW.gone <> '')
    FROM rules_delivery d JOIN rules_answer a ON a.id = d.answer_id JOIN accounts_account c ON c.id = d.account_id
    WHERE d.id = NEW.delivery_id;
    RETURN NULL;
END $$;
CREATE TRIGGER outcome_told AFTER UPDATE ON rules_outcome FOR EACH ROW
WHEN ((OLD.status, OLD.gone, OLD.record, OLD.record_id, OLD.pipeline, OLD.step, OLD.performer, OLD.amount,
       OLD.currency, OLD.paid) IS DISTINCT FROM
      (NEW.status, NEW.gone, NEW.record, NEW.record_id, NEW.pipeline, NEW.step, NEW.performer, NEW.amount,
       NEW.currency, NEW.paid) AND {UNLESS_OFF})
EXECUTE FUNCTION rules_tell_outcome();

CREATE FUNCTION rules_tell_problems() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    new_ones jsonb;
BEGIN
    SELECT jsonb_agg(DISTINCT jsonb_build_object('code', p->>'code', 'field', coalesce(p->>'field', '')))
    INTO new_ones FROM jsonb_array_elements(NEW.problems) p
    WHERE TG_OP = 'INSERT' OR NOT EXISTS (
        SELECT FROM jsonb_array_elements(OLD.problems) o
        WHERE o->>'code' = p->>'code' AND o->>'field' IS NOT DISTINCT FROM p->>'field');
    IF new_ones IS NULL AND NEW.problems <> '[]' THEN RETURN NULL; END IF;
    INSERT INTO accounts_newevent (owner, type, at, data)
    SELECT c.account_id, CASE WHEN new_ones IS NULL THEN 'rule.solved' ELSE 'rule.problem' END, clock_timestamp(),
        jsonb_build_object('crm', c.crm, 'crmAccountID', c.id, 'quizID', NEW.quiz_id,
                           'problems', coalesce(new_ones, '[]'))
    FROM accounts_account c WHERE c.id = NEW.account_id;
    RETURN NULL;
END $$;
CREATE TRIGGER rule_new_told AFTER INSERT ON rules_rule FOR EACH ROW
WHEN (NEW.problems <> '[]' AND {UNLESS_OFF}) EXECUTE FUNCTION rules_tell_problems();
CREATE TRIGGER rule_told AFTER UPDATE OF problems ON rules_rule FOR EACH ROW
WHEN (NEW.problems <> OLD.problems AND NOT NEW.deleted AND {UNLESS_OFF}) EXECUTE FUNCTION rules_tell_problems();

CREATE FUNCTION rules_tell_incident() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_newevent (owner, type, at, data)
    SELECT c.account_id, CASE WHEN NEW.solved_at IS NULL THEN 'incident.opened' ELSE 'incident.solved' END,
        clock_timestamp(), jsonb_build_object(
            'crm', c.crm, 'crmAccountID', c.id, 'quizID', r.quiz_id, 'incidentID', NEW.id, 'kind', NEW.kind,
            'deliveries', NEW.deliveries)
    FROM accounts_account c LEFT JOIN rules_rule r ON r.id = NEW.rule_id WHERE c.id = NEW.account_id;
    RETURN NULL;
END $$;
CREATE TRIGGER incident_new_told AFTER INSERT ON rules_incident FOR EACH ROW
WHEN (NEW.solved_at IS NULL AND {UNLESS_OFF}) EXECUTE FUNCTION rules_tell_incident();
CREATE TRIGGER incident_told AFTER UPDATE OF solved_at ON rules_incident FOR EACH ROW
WHEN (OLD.solved_at IS NULL AND NEW.solved_at IS NOT NULL AND {UNLESS_OFF}) EXECUTE FUNCTION rules_tell_incident();
"""
TRIGGERS = {
    "rules_answer": ("answer_told", "answer_revised"),
    "rules_delivery": ("delivery_new_told", "delivery_told"),
    "rules_outcome": ("outcome_told",),
    "rules_rule": ("rule_new_told", "rule_told"),
    "rules_incident": ("incident_new_told", "incident_told"),
}
FUNCTIONS = ("answers", "revised", "deliveries", "outcome", "problems", "incident")
TELL_NO_MORE = "".join(
    f"DROP TRIGGER {name} ON {table};" for table, names in TRIGGERS.items() for name in names
) + "".join(f"DROP FUNCTION rules_tell_{name}();" for name in FUNCTIONS)


class Migration(migrations.Migration):
    dependencies = [("rules", "0019_bulk_runs"), ("accounts", "0008_events")]

    operations = [migrations.RunSQL(TELL, TELL_NO_MORE)]
