CREATE TABLE heartbeats (
    service_id TEXT PRIMARY KEY,
    body TEXT NOT NULL
);

CREATE TABLE heartbeats_seen (
    name TEXT PRIMARY KEY,
    seen_ms BIGINT NOT NULL
);
