-- name: watched
SELECT number, id FROM watched;

-- name: add_watched
INSERT INTO watched (number, id) VALUES (:number, :id) ON CONFLICT (id) DO NOTHING;

-- name: add_result
INSERT INTO results (at_ms, service, verdict, latency_us) VALUES (:at_ms, :service, :verdict, :latency_us)
ON CONFLICT (at_ms, service) DO NOTHING;

-- name: store_span
INSERT INTO spans (service, started_ms, ended_ms, status) VALUES (:service, :started_ms, :ended_ms, :status)
ON CONFLICT (service, started_ms) DO UPDATE SET ended_ms = excluded.ended_ms, status = excluded.status;

-- name: store_open_span
INSERT INTO open_spans (service, started_ms, ended_ms, status) VALUES (:service, :started_ms, :ended_ms, :status)
ON CONFLICT (service) DO UPDATE SET started_ms = excluded.started_ms, ended_ms = excluded.ended_ms,
status = excluded.status;

-- name: open_spans
SELECT service, started_ms, ended_ms, status FROM open_spans;

-- name: forget_open_spans
DELETE FROM open_spans;

-- name: store_rollup
INSERT INTO rollups (step, service, at_ms, count, failures, sum_us, min_us, max_us, sketch)
VALUES (:step, :service, :at_ms, :count, :failures, :sum_us, :min_us, :max_us, :sketch)
ON CONFLICT (step, service, at_ms) DO UPDATE SET count = excluded.count, failures = excluded.failures,
sum_us = excluded.sum_us, min_us = excluded.min_us, max_us = excluded.max_us, sketch = excluded.sketch;

-- name: results
SELECT at_ms, verdict, latency_us FROM results
WHERE service = :service AND at_ms >= :since_ms AND at_ms < :until_ms ORDER BY at_ms;

-- name: all_results
SELECT at_ms, service, verdict, latency_us FROM results
WHERE at_ms >= :since_ms AND at_ms < :until_ms ORDER BY at_ms, service;

-- name: rollups
SELECT at_ms, count, failures, sum_us, min_us, max_us, sketch FROM rollups
WHERE step = :step AND service = :service AND at_ms >= :since_ms AND at_ms < :until_ms ORDER BY at_ms;

-- name: rollups_of_some
SELECT r.service AS service, r.at_ms AS at_ms, r.count AS count, r.failures AS failures, r.sum_us AS sum_us,
r.min_us AS min_us, r.max_us AS max_us, r.sketch AS sketch
FROM watched w CROSS JOIN rollups r
WHERE w.number BETWEEN :first AND :last
AND r.step = :step AND r.service = w.number AND r.at_ms >= :since_ms AND r.at_ms < :until_ms;

-- name: spans
SELECT started_ms, ended_ms, status FROM spans
WHERE service = :service AND started_ms < :until_ms AND ended_ms > :since_ms ORDER BY started_ms;

-- name: all_spans
SELECT service, started_ms, ended_ms, status FROM spans
WHERE started_ms < :until_ms AND ended_ms > :since_ms;

-- name: fleet
SELECT service, status,
SUM(CASE WHEN ended_ms < :until_ms THEN ended_ms ELSE :until_ms END
- CASE WHEN started_ms > :since_ms THEN started_ms ELSE :since_ms END) AS ms
FROM spans WHERE started_ms < :until_ms AND ended_ms > :since_ms GROUP BY service, status;

-- name: marks
SELECT name, at_ms FROM marks;

-- name: store_mark
INSERT INTO marks (name, at_ms) VALUES (:name, :at_ms) ON CONFLICT (name) DO UPDATE SET at_ms = excluded.at_ms;

-- name: next_result
SELECT MIN(at_ms) AS at_ms FROM results WHERE at_ms >= :since_ms;

-- name: oldest_result
SELECT MIN(at_ms) AS at_ms FROM results;

-- name: slice_end
SELECT at_ms FROM results WHERE at_ms < :before_ms ORDER BY at_ms LIMIT 1 OFFSET :count;

-- name: prune_results
DELETE FROM results WHERE at_ms < :before_ms;

-- name: prune_rollups
DELETE FROM rollups WHERE step = :step AND service = :service AND at_ms < :before_ms;

-- name: prune_events
DELETE FROM events WHERE at_ms < :before_ms AND id < (SELECT MAX(id) FROM events);

-- name: prune_transitions
DELETE FROM transitions WHERE at_ms < :before_ms;

-- name: store_maintenance
INSERT INTO maintenance (service_id, started_ms, ended_ms) VALUES (:service_id, :started_ms, :ended_ms)
ON CONFLICT (service_id, started_ms) DO UPDATE SET ended_ms = excluded.ended_ms;

-- name: maintenance
SELECT service_id, started_ms, ended_ms FROM maintenance
WHERE started_ms < :until_ms AND ended_ms > :since_ms AND (:any_service = 1 OR service_id = :service_id)
ORDER BY service_id, started_ms;
