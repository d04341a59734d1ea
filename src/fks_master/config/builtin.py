"""The FKS services, watched when there is no config file; `config/monitor.toml` says the same."""

from fks_master.config.schema import Entry
from fks_master.model import ServiceType

_TABLE = (
    ("fks_api", "FKS API", 8000, ServiceType.API, 500, True),
    ("fks_auth", "FKS Auth", 8001, ServiceType.AUTH, 500, True),
    ("fks_data", "FKS Data", 8002, ServiceType.DATABASE, 1000, True),
    ("fks_engine", "FKS Engine", 8003, ServiceType.ENGINE, 1000, True),
    ("fks_transformer", "FKS Transformer", 8004, ServiceType.TRANSFORMER, 2000, False),
    ("fks_training", "FKS Training", 8005, ServiceType.TRAINING, 2000, False),
    ("fks_worker", "FKS Worker", 8006, ServiceType.WORKER, 1000, False),
    ("fks_web", "FKS Web", 3000, ServiceType.WEB, 1000, False),
    ("fks_config", "FKS Config", 8007, ServiceType.CONFIG, 500, False),
    ("fks_execution", "FKS Execution", 8008, ServiceType.EXECUTION, 500, True),
    ("fks_nginx", "FKS Nginx", 80, ServiceType.NGINX, 500, True),
)

FKS_SERVICES = tuple(
    Entry(
        id=id_,
        name=name,
        health_endpoint=f"http://{id_}:{port}/health",
        service_type=service_type,
        docker_container=id_,
        expected_response_time_ms=expected_ms,
        critical=critical,
    )
    for id_, name, port, service_type, expected_ms, critical in _TABLE
)
