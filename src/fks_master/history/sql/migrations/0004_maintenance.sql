CREATE TABLE maintenance (
    service_id TEXT NOT NULL,
    started_ms BIGINT NOT NULL,
    ended_ms BIGINT NOT NULL,
    PRIMARY KEY (service_id, started_ms)
) {clustered};
