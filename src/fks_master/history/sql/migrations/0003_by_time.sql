CREATE TABLE results_by_time (
    at_ms BIGINT NOT NULL,
    service BIGINT NOT NULL,
    verdict BIGINT NOT NULL,
    latency_us BIGINT NOT NULL,
    PRIMARY KEY (at_ms, service)
) {clustered};

INSERT INTO results_by_time (at_ms, service, verdict, latency_us)
SELECT at_ms, service, verdict, latency_us FROM results ORDER BY at_ms, service;

DROP TABLE results;

ALTER TABLE results_by_time RENAME TO results;

CREATE TABLE open_spans (
    service BIGINT PRIMARY KEY,
    started_ms BIGINT NOT NULL,
    ended_ms BIGINT NOT NULL,
    status BIGINT NOT NULL
);
