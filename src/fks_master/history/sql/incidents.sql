-- name: open_incident
INSERT INTO incidents (number, id, service_id, started_ms, cause) VALUES (:number, :id, :service_id, :started_ms, :cause)
ON CONFLICT (number) DO NOTHING;

-- name: close_incident
UPDATE incidents SET ended_ms = :ended_ms WHERE id = :id AND ended_ms IS NULL;

-- name: acknowledge_incident
UPDATE incidents SET acknowledged_ms = :at_ms, acknowledged_by = :who WHERE id = :id AND acknowledged_ms IS NULL;

-- name: add_entry
INSERT INTO incident_entries (incident, number, at_ms, kind, message, data)
VALUES (:incident, :number, :at_ms, :kind, :message, :data)
ON CONFLICT (incident, number) DO NOTHING;

-- name: add_evidence
INSERT INTO incident_evidence (incident, kind, at_ms, data) VALUES (:incident, :kind, :at_ms, :data)
ON CONFLICT (incident, kind) DO NOTHING;

-- name: move_entries
UPDATE incident_entries SET incident = :incident WHERE incident = :gone;

-- name: move_evidence
INSERT INTO incident_evidence (incident, kind, at_ms, data)
SELECT :incident, kind, at_ms, data FROM incident_evidence WHERE incident = :gone
ON CONFLICT (incident, kind) DO NOTHING;

-- name: forget_evidence
DELETE FROM incident_evidence WHERE incident = :incident;

-- name: forget_incident
DELETE FROM incidents WHERE id = :id;

-- name: open_incidents
SELECT number, id, service_id, started_ms, cause,
(SELECT COUNT(*) FROM incident_entries e WHERE e.incident = incidents.id) AS lines
FROM incidents WHERE ended_ms IS NULL;

-- name: incidents
SELECT number, id, service_id, started_ms, ended_ms, cause, acknowledged_ms, acknowledged_by FROM incidents
WHERE number < :before
AND (:any_service = 1 OR service_id = :service_id)
AND (:state = 'all' OR (:state = 'open' AND ended_ms IS NULL) OR (:state = 'closed' AND ended_ms IS NOT NULL))
AND started_ms < :until_ms AND COALESCE(ended_ms, :until_ms) >= :since_ms
ORDER BY number DESC LIMIT :count;

-- name: incident
SELECT number, id, service_id, started_ms, ended_ms, cause, acknowledged_ms, acknowledged_by FROM incidents
WHERE id = :id;

-- name: entries
SELECT number, at_ms, kind, message, data FROM incident_entries WHERE incident = :incident ORDER BY number;

-- name: evidence
SELECT kind, at_ms, data FROM incident_evidence WHERE incident = :incident ORDER BY kind;

-- name: events
SELECT body FROM events
WHERE id < :before
AND (:any_service = 1 OR service_id = :service_id)
AND (:any_type = 1 OR event_type = :event_type)
AND at_ms >= :since_ms AND at_ms < :until_ms
ORDER BY id DESC LIMIT :count;
