"""Classification of the errors that AWS's SDK raises."""

from http import HTTPStatus

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotocoreConnectionError

_TRANSIENT_ERRORS = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_TRANSIENT_CANCELLATIONS = frozenset(
    {"ThrottlingError", "ProvisionedThroughputExceeded", "TransactionConflict"}
)


def is_transient(error: Exception) -> bool:
    """Return True if AWS throttled or could not be reached, so that the same request may succeed soon."""
    if isinstance(error, HTTPClientError | BotocoreConnectionError):
        return True
    if not isinstance(error, ClientError):
        return False
    reasons = error.response.get("CancellationReasons", [])
    return (
        error.response["Error"]["Code"] in _TRANSIENT_ERRORS
        or error.response["ResponseMetadata"]["HTTPStatusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR
        or any(reason.get("Code") in _TRANSIENT_CANCELLATIONS for reason in reasons)
    )
