CREATE TABLE alert_states (
    alert_key TEXT PRIMARY KEY,
    body TEXT NOT NULL
);

CREATE TABLE alert_cursor (
    name TEXT PRIMARY KEY,
    event_id BIGINT NOT NULL
);

CREATE TABLE alert_silences (
    silence_id TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    ends_ms BIGINT NOT NULL
);

CREATE TABLE deliveries (
    delivery_id TEXT PRIMARY KEY,
    number BIGINT NOT NULL,
    receiver TEXT NOT NULL,
    service_id TEXT,
    body TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    answer TEXT,
    finished_ms BIGINT
);

CREATE INDEX deliveries_by_state ON deliveries (state, number);
