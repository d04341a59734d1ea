-- name: store_heartbeat
INSERT INTO heartbeats (service_id, body) VALUES (:service_id, :body)
ON CONFLICT (service_id) DO UPDATE SET body = excluded.body;

-- name: heartbeats
SELECT service_id, body FROM heartbeats;

-- name: note_seen
INSERT INTO heartbeats_seen (name, seen_ms) VALUES (:name, :seen_ms)
ON CONFLICT (name) DO UPDATE SET seen_ms = excluded.seen_ms;

-- name: seen
SELECT seen_ms FROM heartbeats_seen WHERE name = :name;
