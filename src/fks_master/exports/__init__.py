"""What other programs need to read us: alert rules for Prometheus, dashboards for Grafana."""
