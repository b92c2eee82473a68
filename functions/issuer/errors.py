"""Service errors: a closed list of codes, each with HTTP status and title (RFC 9457)."""

from dataclasses import dataclass
from enum import Enum


class Code(Enum):
    """A stable error code of the partner API: word, HTTP status, title."""

    MALFORMED_REQUEST = ("malformed-request", 400, "The request could not be read")
    IDEMPOTENCY_KEY_MISSING = ("idempotency-key-missing", 400, "An Idempotency-Key header is required")
    NONCE_MALFORMED = ("nonce-malformed", 400, "The client nonce is not a client nonce file")
    UNAUTHENTICATED = ("unauthenticated", 401, "The API key is missing, mistyped, expired or unknown")
    NO_CREDITS = ("no-credits", 402, "The workspace has no credit left")
    FORBIDDEN = ("forbidden", 403, "The API key lacks the scope for this call")
    LINK_REFUSED = ("link-refused", 403, "The address or form was changed, or is not of this server")
    LINK_EXPIRED = ("link-expired", 410, "The address or form has expired")
    KIT_DELETED = ("kit-deleted", 410, "The kit was deleted at the end of its retention")
    NOT_FOUND = ("not-found", 404, "There is no such resource")
    METHOD_NOT_ALLOWED = ("method-not-allowed", 405, "The path does not have this method")
    UNKNOWN_LANE = ("unknown-lane", 422, "There is no such lane or profile")
    WRONG_STATE = ("wrong-state", 409, "The current state does not allow this")
    CHANGED_MEANWHILE = ("changed-meanwhile", 409, "Something else changed it during the call")
    IN_PROGRESS = ("in-progress", 409, "A call with this Idempotency-Key is still running")
    NOT_READY = ("not-ready", 409, "The kit is not finished yet")
    PACKET_LIMIT = ("packet-limit", 409, "The tier's number of open packets is reached")
    ALREADY_EXISTS = ("already-exists", 409, "It exists already")
    RECORD_REFUSED = ("record-refused", 422, "The record cannot be taken")
    TOO_LARGE = ("too-large", 413, "The limit of size or number is exceeded")
    INVALID_REQUEST = ("invalid-request", 422, "A value of the request is not valid")
    IDEMPOTENCY_MISMATCH = ("idempotency-mismatch", 422, "This Idempotency-Key was used for another request")
    NONCE_USED = ("nonce-used", 422, "The client nonce was used before")
    NONCE_CHECKPOINT_UNKNOWN = ("nonce-checkpoint-unknown", 422, "The nonce names an unknown checkpoint")
    RATE_LIMITED = ("rate-limited", 429, "Too many requests")
    INTERNAL = ("internal", 500, "Something failed on our side")
    LOG_STALLED = ("log-stalled", 503, "The registry is not taking entries at the moment")
    STORAGE_FAILED = ("storage-failed", 503, "Storage failed; doing it again is safe")
    KEY_UNUSABLE = ("key-unusable", 500, "A signing key cannot be used")
    HOME_UNUSABLE = ("home-unusable", 500, "The home folder cannot be used")
    STORE_UNUSABLE = ("store-unusable", 500, "The object store cannot be used")
    PORT_IN_USE = ("port-in-use", 500, "The address can't be used")

    def __init__(self, word: str, status: int, title: str) -> None:
        self.word = word
        self.status = status
        self.title = title


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a request: JSON pointer (RFC 6901) to it, a word, what was found, a remedy."""

    pointer: str
    code: str
    detail: str
    fix: str


class ServiceError(Exception):
    """A call that can't be carried out. `detail`: a sentence with the values found and wanted.

    `retry_after_s`: seconds after which trying again makes sense, sent as Retry-After (RFC 9110 section
    10.2.3).
    """

    def __init__(
        self, code: Code, detail: str, *, faults: tuple[Fault, ...] = (), retry_after_s: int | None = None
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.faults = faults
        self.retry_after_s = retry_after_s


class StoreError(ServiceError):
    """Storage failed. The effect of the call is unknown: read back before deciding anything."""

    def __init__(self, detail: str) -> None:
        super().__init__(Code.STORAGE_FAILED, detail)


class ObjectConflictError(StoreError):
    """An immutable object exists with other bytes. Nothing was changed, and the writer must not go on."""


class StaleTagError(StoreError):
    """The object of a compare-and-swap is no longer the version it was based on. Nothing was changed."""


class LogHaltedError(ServiceError):
    """The log refuses to continue, since that could fork it. `detail` says how to recover."""

    def __init__(self, detail: str) -> None:
        super().__init__(Code.LOG_STALLED, detail)


class ClockRefusedError(LogHaltedError):
    """A second clock contradicts this machine's, or there is none to compare with. Nothing was signed."""


class QuorumMissedError(LogHaltedError):
    """Too few witnesses cosigned. Nobody has to act: the next run tries the round again."""
