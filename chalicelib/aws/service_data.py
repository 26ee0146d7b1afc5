"""The SDK's data about the services of the product: what they can be asked, and where they are."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.loaders import Loader

SERVICE_MODELS = Path(__file__).with_name("service_models")
"""In the zip, the SDK's models of our services with the operations alone that the product calls. Packaging
makes them (`ops/deploy/service_models.py`); elsewhere the SDK's own are read.
"""

# The rule by which AWS names endpoints. It has no exception among these services.
_ENDPOINT_RULES = {
    "partitions": [
        {
            "partition": "aws",
            "dnsSuffix": "amazonaws.com",
            "regions": {},
            "defaults": {
                "hostname": "{service}.{region}.{dnsSuffix}",
                "protocols": ["https"],
                "signatureVersions": ["v4"],
            },
            "services": {},
        }
    ]
}

# The names of services in their endpoints, which have no other part than the region. S3's have the bucket.
_HOSTS = {
    "dynamodb": "dynamodb",
    "kms": "kms",
    "pinpoint-sms-voice-v2": "sms-voice",
    "secretsmanager": "secretsmanager",
    "sesv2": "email",
    "sqs": "sqs",
}


class ServiceDataLoader(Loader):
    """Loads the SDK's data for the services of the product only.

    The SDK's own loader would list some 900 directories on each cold start to find the services, and read
    1.2 MB of rules and exceptions to find their endpoints. For each request it would go through a service's
    own rules, which for DynamoDB ask for the names of all tables in it.
    """

    def list_available_services(self, type_name: str) -> list[str]:
        return sorted([*_HOSTS, "s3"])

    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> Mapping[str, Any]:
        if type_name == "endpoint-rule-set-1" and service_name in _HOSTS:
            return _build_endpoint_rules(_HOSTS[service_name])
        if type_name == "service-2" and (model := SERVICE_MODELS / f"{service_name}.json").exists():
            found: Mapping[str, Any] = json.loads(model.read_bytes())
            return found
        loaded: Mapping[str, Any] = super().load_service_model(service_name, type_name, api_version)
        return loaded

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        if name == "endpoints":
            return _ENDPOINT_RULES, self.BUILTIN_DATA_PATH
        return super().load_data_with_path(name)


def _build_endpoint_rules(host: str) -> Mapping[str, Any]:
    """Return the rules of a service: the endpoint that the environment names, or that of the region."""

    def name_endpoint(url: object, *conditions: object) -> Mapping[str, Any]:
        endpoint = {"url": url, "properties": {}, "headers": {}}
        return {"type": "endpoint", "conditions": list(conditions), "endpoint": endpoint}

    return {
        "version": "1.0",
        "parameters": {
            "Region": {"type": "String", "builtIn": "AWS::Region"},
            "Endpoint": {"type": "String", "builtIn": "SDK::Endpoint"},
        },
        "rules": [
            name_endpoint({"ref": "Endpoint"}, {"fn": "isSet", "argv": [{"ref": "Endpoint"}]}),
            name_endpoint(
                f"https://{host}.{{Region}}.amazonaws.com", {"fn": "isSet", "argv": [{"ref": "Region"}]}
            ),
        ],
    }
