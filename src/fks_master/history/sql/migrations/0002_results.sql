CREATE TABLE watched (
    number BIGINT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE
);

CREATE TABLE results (
    service BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    verdict BIGINT NOT NULL,
    latency_us BIGINT NOT NULL,
    PRIMARY KEY (service, at_ms)
) {clustered};

CREATE TABLE spans (
    service BIGINT NOT NULL,
    started_ms BIGINT NOT NULL,
    ended_ms BIGINT NOT NULL,
    status BIGINT NOT NULL,
    PRIMARY KEY (service, started_ms)
) {clustered};

CREATE TABLE rollups (
    step BIGINT NOT NULL,
    service BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    count BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    sum_us BIGINT NOT NULL,
    min_us BIGINT NOT NULL,
    max_us BIGINT NOT NULL,
    sketch {blob} NOT NULL,
    PRIMARY KEY (step, service, at_ms)
) {clustered};

CREATE TABLE marks (
    name TEXT PRIMARY KEY,
    at_ms BIGINT NOT NULL
);
