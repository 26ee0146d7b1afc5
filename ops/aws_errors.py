"""Describe errors of the AWS SDK in one line. Their own messages are not shown: they may repeat a value."""

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from ops.errors import OperationError
from ops.project import REGION

AWS_ERRORS = (BotoCoreError, ClientError, ResponseParserError)

_CREDENTIAL_CODES = frozenset(
    {
        *("ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId", "AuthFailure"),
        *("UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException"),
        *("InvalidAccessKeyId", "IncompleteSignature", "MissingAuthenticationToken"),
    }
)
_DENIED_CODES = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}
)
_NO_ANSWER = "AWS does not answer: check the network, the proxy and the region"
_SDK_ERRORS: dict[type[BotoCoreError], str] = {
    exceptions.NoRegionError: f"no AWS region is set: AWS_DEFAULT_REGION={REGION}, say",
    exceptions.ProfileNotFound: "AWS_PROFILE names a profile that your AWS configuration does not have",
    exceptions.NoCredentialsError: "there are no AWS credentials: sign in, or set AWS_PROFILE",
    exceptions.PartialCredentialsError: "the AWS credentials are incomplete: sign in, or set AWS_PROFILE",
    exceptions.CredentialRetrievalError: "the AWS credentials cannot be read: sign in again",
    exceptions.TokenRetrievalError: "the AWS session has ended: sign in again",
    exceptions.SSOError: "the AWS session has ended: sign in again",
    exceptions.InvalidRegionError: "AWS_DEFAULT_REGION is no region of AWS",
    exceptions.ConnectionError: _NO_ANSWER,
    exceptions.HTTPClientError: _NO_ANSWER,
}


class AwsUnavailable(OperationError):
    """AWS refused a request, or did not answer."""

    default_code = "aws_error"


def get_error_code(error: Exception) -> str:
    """Return AWS's code of an error, or the SDK's name for it."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return type(error).__name__


def explain_aws_error(error: Exception) -> AwsUnavailable:
    """Return an error of the SDK as one that a command shows."""
    if isinstance(error, ClientError):
        return AwsUnavailable(_describe_refusal(get_error_code(error), error.operation_name))
    for kind, description in _SDK_ERRORS.items():
        if isinstance(error, kind):
            return AwsUnavailable(description)
    return AwsUnavailable(f"AWS could not be asked ({type(error).__name__})")


def _describe_refusal(code: str, operation: str) -> str:
    if code in _CREDENTIAL_CODES:
        return f"AWS refuses the credentials ({code}): sign in again"
    if code in _DENIED_CODES:
        return f"the AWS credentials do not permit {operation} ({code})"
    return f"AWS refused {operation} ({code})"
