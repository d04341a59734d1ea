"""FKS Master watches and controls the services of a Docker/Compose system."""

__version__ = "0.1.0"
