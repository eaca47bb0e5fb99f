"""From botocore's errors to ours, by AWS's own code: many codes are in no model (aws.md, 1.3)."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    ProfileNotFound,
)
from botocore.exceptions import ConnectionError as Unconnected

from awsint.shapes import (
    Away,
    AwsError,
    CaseUnknown,
    ClockSkew,
    Denied,
    HubBroken,
    Invalid,
    LimitReached,
    NoPlan,
    Throttled,
)

KNOWN: dict[str, type[AwsError]] = {
    "SubscriptionRequiredException": NoPlan,
    "CaseIdNotFound": CaseUnknown,
    **dict.fromkeys(
        (
            "AccessDenied",
            "AccessDeniedException",
            "UnauthorizedOperation",
            "UnrecognizedClientException",
            "InvalidClientTokenId",
            "OptInRequired",
            "ExpiredToken",
            "ExpiredTokenException",
        ),
        Denied,
    ),
    **dict.fromkeys(("RequestExpired", "SignatureDoesNotMatch", "InvalidSignatureException"), ClockSkew),
    **dict.fromkeys(
        ("Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"), Throttled
    ),
    **dict.fromkeys(
        (
            "CaseCreationLimitExceeded",
            "AttachmentLimitExceeded",
            "DescribeAttachmentLimitExceeded",
        ),
        LimitReached,
    ),
}
# A session that ran out before its time: made anew once.
EXPIRED = ("ExpiredToken", "ExpiredTokenException")


@contextmanager
def ours(operation: str, *, hub: bool = False) -> Iterator[None]:
    """Raises what AWS or the way there refuses as one of our errors. `hub`: the call is our own identity's."""
    try:
        yield
    except ClientError as error:
        raise of_client_error(error, operation, hub=hub) from error
    except ParamValidationError as error:
        raise Invalid("ParamValidation", str(error), operation=operation) from error
    except (NoCredentialsError, ProfileNotFound) as error:
        raise HubBroken(type(error).__name__, str(error), operation=operation) from error
    except (Unconnected, ConnectionClosedError, HTTPClientError, OSError) as error:
        raise Away(type(error).__name__, str(error), operation=operation) from error
    except BotoCoreError as error:
        raise AwsError(type(error).__name__, str(error), operation=operation) from error


def of_client_error(error: ClientError, operation: str, *, hub: bool = False) -> AwsError:
    """Ours for an answer of AWS. What has no code we know is away where AWS failed (5xx), invalid where we did."""
    told = error.response.get("Error", {})
    code, text = told.get("Code", "Unknown"), told.get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    kind = KNOWN.get(code) or (Away if status >= 500 else Invalid)
    if hub and kind is Denied and code in ("InvalidClientTokenId", "UnrecognizedClientException", *EXPIRED):
        # Whoever asks is not known: it is us, and not one account.
        kind = HubBroken
    return kind(code, text, operation=operation)
