-- name: store_alert
INSERT INTO alert_states (alert_key, body) VALUES (:alert_key, :body)
ON CONFLICT (alert_key) DO UPDATE SET body = excluded.body;

-- name: forget_alert
DELETE FROM alert_states WHERE alert_key = :alert_key;

-- name: alerts
SELECT body FROM alert_states;

-- name: move_cursor
INSERT INTO alert_cursor (name, event_id) VALUES (:name, :event_id)
ON CONFLICT (name) DO UPDATE SET event_id = excluded.event_id;

-- name: cursor
SELECT event_id FROM alert_cursor WHERE name = :name;

-- name: add_delivery
INSERT INTO deliveries (delivery_id, number, receiver, service_id, body, created_ms, state, tries)
VALUES (:delivery_id, :number, :receiver, :service_id, :body, :created_ms, 'pending', 0)
ON CONFLICT (delivery_id) DO NOTHING;

-- name: finish_delivery
UPDATE deliveries SET state = :state, tries = :tries, answer = :answer, finished_ms = :finished_ms
WHERE delivery_id = :delivery_id;

-- name: pending_deliveries
SELECT delivery_id, number, receiver, body, created_ms FROM deliveries WHERE state = 'pending' ORDER BY number;

-- name: newest_delivery
SELECT COALESCE(MAX(number), 0) AS number FROM deliveries;

-- name: deliveries
SELECT delivery_id, number, receiver, service_id, body, created_ms, state, tries, answer, finished_ms
FROM deliveries ORDER BY number DESC LIMIT :count;

-- name: prune_deliveries
DELETE FROM deliveries WHERE state <> 'pending' AND created_ms < :before_ms;

-- name: store_silence
INSERT INTO alert_silences (silence_id, body, ends_ms) VALUES (:silence_id, :body, :ends_ms)
ON CONFLICT (silence_id) DO UPDATE SET body = excluded.body, ends_ms = excluded.ends_ms;

-- name: forget_silence
DELETE FROM alert_silences WHERE silence_id = :silence_id;

-- name: silences
SELECT silence_id, body FROM alert_silences WHERE ends_ms > :now_ms;
