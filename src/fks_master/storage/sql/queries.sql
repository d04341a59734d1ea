-- name: store_state
INSERT INTO states (service_id, body, stored_ms) VALUES (:service_id, :body, :stored_ms)
ON CONFLICT (service_id) DO UPDATE SET body = excluded.body, stored_ms = excluded.stored_ms;

-- name: forget_state
DELETE FROM states WHERE service_id = :service_id;

-- name: states
SELECT service_id, body, stored_ms FROM states;

-- name: add_event
INSERT INTO events (id, at_ms, service_id, event_type, body) VALUES (:id, :at_ms, :service_id, :event_type, :body)
ON CONFLICT (id) DO NOTHING;

-- name: add_transition
INSERT INTO transitions (id, at_ms, service_id, old, new, reason)
VALUES (:id, :at_ms, :service_id, :old, :new, :reason)
ON CONFLICT (id) DO NOTHING;

-- name: newest_event
SELECT COALESCE(MAX(id), 0) AS id FROM events;

-- name: events_after
SELECT body FROM events WHERE id > :after ORDER BY id LIMIT :count;
