"""The statement by which ``rules.delivery.outbox`` settles a batch, tells its tries, and begins to follow its
leads."""

# A lead that a replay found made by the former version waits again, to be brought up to date. ``replayed`` is
# how a replay ended, none where it goes on or there was none. The statement may come twice where nobody heard
# that it was done; a try is told once.
SETTLE = """
WITH settled AS (
UPDATE rules_delivery d SET
    state = CASE WHEN (s.state = 'delivered' OR s.held = 'left_out') AND d.revision > d.revision_sent
                   OR s.state = 'delivered' AND d.replay_id IS NOT NULL AND s.replayed IS NULL
                 THEN 'waiting' ELSE s.state END,
    held_because = CASE WHEN s.held = 'left_out' AND d.revision > d.revision_sent THEN '' ELSE s.held END,
    due_at = s.due,
    attempts_made = d.attempts_made + s.tries,
    strikes = CASE WHEN s.state = 'delivered' AND d.revision > d.revision_sent THEN 0
                   ELSE d.strikes + s.strikes END,
    look_first = s.look, steps = d.steps || s.steps,
    losses = CASE WHEN s.state = 'delivered' THEN s.losses ELSE d.losses END,
    remote_id = CASE WHEN s.remote = '' THEN d.remote_id ELSE s.remote END,
    remote_link = CASE WHEN s.link = '' THEN d.remote_link ELSE s.link END,
    error_code = s.code, error = s.error, remedy = s.remedy, claimed_at = NULL,
    version_id = coalesce(s.version, d.version_id),
    delivered_at = CASE WHEN s.state = 'delivered' THEN coalesce(d.delivered_at, %s)
                        ELSE d.delivered_at END,
    first_failed_at = CASE WHEN s.state = 'delivered' OR s.tries = 0 THEN d.first_failed_at
                           ELSE coalesce(d.first_failed_at, %s) END,
    write_begun_at = NULL, replay_id = CASE WHEN s.replayed IS NULL THEN d.replay_id END,
    look_again_at = CASE WHEN s.look OR d.look_first OR d.look_again_at IS NOT NULL THEN %s::timestamptz END
FROM jsonb_to_recordset(%s::jsonb)
     AS s(id bigint, claimed timestamptz, state text, held text, due timestamptz, tries int, strikes int,
          look bool, steps jsonb, losses jsonb, remote text, link text, code text, error text, remedy text,
          version bigint, replayed text, complaint text)
WHERE d.id = s.id AND d.state = 'sending' AND d.claimed_at = s.claimed
RETURNING d.*, s.replayed, s.complaint
), replayed AS (
UPDATE rules_replay r SET state = ended.replayed, error = ended.complaint, done_at = %s
FROM settled ended
WHERE r.delivery_id = ended.id AND r.state = 'open' AND ended.replayed IS NOT NULL
), told AS (
INSERT INTO rules_attempt (delivery_id, number, started_at, seconds, outcome, code, message, exchanges)
SELECT delivery, number, started, seconds, outcome, code, message, exchanges
FROM jsonb_to_recordset(%s::jsonb)
     AS t(delivery bigint, number int, started timestamptz, seconds float, outcome text, code text,
          message text, exchanges jsonb)
WHERE NOT EXISTS (SELECT FROM rules_attempt a WHERE a.delivery_id = t.delivery AND a.started_at = t.started)
)
INSERT INTO rules_outcome
    (delivery_id, account_id, owner, quiz_id, record_id, link, created_at, next_look_at, test, joined)
SELECT id, account_id, owner, quiz_id, remote_id, remote_link, delivered_at, %s, test,
       coalesce(steps ->> 'joined', '') <> ''
FROM settled WHERE delivered_at IS NOT NULL
ON CONFLICT (delivery_id) DO NOTHING
"""
