"""From botocore's errors to ours, by AWS's own code: many codes are in no model (aws.md, 1.3).

A mutation is one attempt, so what an error says of it counts: `Away` is raised only where nobody knows whether it
happened, and whatever cannot be told is Away. Where our own identity is at fault, or the way to STS, no account of the
partition can be read: HubBroken.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigNotFound,
    ConfigParseError,
    CredentialRetrievalError,
    LoginRefreshRequired,
    LoginTokenLoadError,
    MetadataRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
    UnknownCredentialError,
)
from botocore.parsers import ResponseParserError

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

# A session that ran out before its time, or that AWS does not know: made anew once.
STALE = ("ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId")
KNOWN: dict[str, type[AwsError]] = {
    "SubscriptionRequiredException": NoPlan,
    "CaseIdNotFound": CaseUnknown,
    **dict.fromkeys(
        (
            *STALE,
            "AccessDenied",
            "AccessDeniedException",
            "UnauthorizedOperation",
            "NotAuthorized",
            "OptInRequired",
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "RegionDisabledException",
        ),
        Denied,
    ),
    **dict.fromkeys(
        (
            "RequestExpired",
            "RequestInTheFuture",
            "RequestTimeTooSkewed",
            "SignatureDoesNotMatch",
            "InvalidSignatureException",
        ),
        ClockSkew,
    ),
    **dict.fromkeys(
        (
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "RequestThrottled",
            "RequestThrottledException",
            "RequestLimitExceeded",
            "TooManyRequestsException",
            "LimitExceededException",
            "PriorRequestNotComplete",
            "SlowDown",
        ),
        Throttled,
    ),
    **dict.fromkeys(
        (
            "CaseCreationLimitExceeded",
            "AttachmentLimitExceeded",
            "DescribeAttachmentLimitExceeded",
            "ServiceQuotaExceededException",
        ),
        LimitReached,
    ),
}
# What AWS, or somebody on the way, says without a word that we know.
BY_STATUS: dict[int, type[AwsError]] = {401: Denied, 403: Denied, 408: Away, 429: Throttled}
NO_IDENTITY = (
    ConfigNotFound,
    ConfigParseError,
    CredentialRetrievalError,
    LoginRefreshRequired,
    LoginTokenLoadError,
    MetadataRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
    UnknownCredentialError,
)


@contextmanager
def ours(operation: str, *, hub: bool = False) -> Iterator[None]:
    """Raises what AWS or the way there refuses as one of our errors. `hub`: the call is our own identity's."""
    try:
        yield
    except ClientError as error:
        raise of_client_error(error, operation, hub=hub) from error
    except ParamValidationError as error:
        raise Invalid("ParamValidation", str(error), operation=operation) from error
    except NO_IDENTITY as error:
        raise HubBroken(type(error).__name__, str(error), operation=operation) from error
    except (BotoCoreError, ResponseParserError, OSError) as error:
        # No connection, no answer in time, half an answer, an answer that nobody can read.
        raise Away(type(error).__name__, str(error), operation=operation) from error


def of_client_error(error: ClientError, operation: str, *, hub: bool = False) -> AwsError:
    """Ours for an answer of AWS. What has no code we know is away where AWS failed (5xx), invalid where we did."""
    told = error.response.get("Error", {})
    code, text = str(told.get("Code", "Unknown")), str(told.get("Message", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    kind = KNOWN.get(code) or BY_STATUS.get(status) or (Away if status >= 500 else Invalid)
    if hub and _nobody(code, kind, text):
        kind = HubBroken
    return kind(code, text, operation=operation)


def _nobody(code: str, kind: type[AwsError], text: str) -> bool:
    """Whoever asks is not known: it is us, and not one account. A signature that is wrong at any hour is no clock."""
    return code in STALE or code == "RegionDisabledException" or (kind is ClockSkew and "we calculated" in text)
