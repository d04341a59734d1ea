"""The bill of materials in CycloneDX 1.6: what a wheel with all its extras brings along."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from release.parts import Part, python_parts, web_parts


def sbom(version: str, at: datetime) -> str:
    parts = [*python_parts(), *web_parts()]
    own = f"pkg:pypi/fks-master@{version}"
    direct = sorted({part.purl for part in parts} - {need for part in parts for need in _needs(part, parts)})
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, own + ''.join(part.purl for part in parts))}",
        "version": 1,
        "metadata": {
            "timestamp": at.astimezone(UTC).isoformat(timespec="seconds"),
            "component": {
                "type": "application", "bom-ref": own, "name": "fks-master", "version": version, "purl": own,
                "licenses": [{"license": {"id": "MIT"}}],
            },
        },
        "components": [_component(part) for part in parts],
        "dependencies": [
            {"ref": own, "dependsOn": direct},
            *({"ref": part.purl, "dependsOn": _needs(part, parts)} for part in parts),
        ],
    }  # fmt: skip
    return json.dumps(document, indent=1) + "\n"


def _needs(part: Part, parts: list[Part]) -> list[str]:
    return sorted({other.purl for other in parts if other.ecosystem == part.ecosystem and other.name in part.needs})


def _component(part: Part) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": part.purl,
        "name": part.name,
        "version": part.version,
        "purl": part.purl,
        "licenses": [{"license": {"name": part.licence}}],
    }
    if part.home:
        found["externalReferences"] = [{"type": "website", "url": part.home}]
    if part.hashes:
        # One a file that may be installed; which of them it is, the machine decides.
        found["properties"] = [{"name": "fks:sha256", "value": one} for one in part.hashes]
    return found
