CREATE TABLE incidents (
    number BIGINT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    service_id TEXT NOT NULL,
    started_ms BIGINT NOT NULL,
    ended_ms BIGINT,
    cause TEXT NOT NULL,
    acknowledged_ms BIGINT,
    acknowledged_by TEXT
);

CREATE INDEX incidents_by_service ON incidents (service_id, number);

CREATE INDEX incidents_open ON incidents (service_id) WHERE ended_ms IS NULL;

CREATE TABLE incident_entries (
    incident TEXT NOT NULL,
    number BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    kind TEXT NOT NULL,
    message TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (incident, number)
);

CREATE TABLE incident_evidence (
    incident TEXT NOT NULL,
    kind TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (incident, kind)
);
