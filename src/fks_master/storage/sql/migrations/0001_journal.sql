CREATE TABLE states (
    service_id TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    stored_ms BIGINT NOT NULL
);

CREATE TABLE events (
    id BIGINT PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    service_id TEXT,
    event_type TEXT NOT NULL,
    body TEXT NOT NULL
);

CREATE INDEX events_by_service ON events (service_id, id);

CREATE TABLE transitions (
    id BIGINT PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    service_id TEXT NOT NULL,
    old TEXT NOT NULL,
    new TEXT NOT NULL,
    reason TEXT
);

CREATE INDEX transitions_by_service ON transitions (service_id, id);
