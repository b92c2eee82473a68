"""Signing with AWS KMS: an Ed25519 key that never leaves KMS, or a seed that KMS wraps.

`KmsSigner` sends each message to KMS: the private key exists nowhere else; a million signatures cost 15
dollars and one request each. `WrappedKey` is for volume: the seed is stored in the private store, encrypted
by a KMS key under an encryption context of role and origin, and is in memory once the process has started.

A key is bound to one role and one origin. For a wrapped seed KMS enforces it: it does not decrypt under
another context. For a signing key two tags state it, and anyone with the right to tag keys can change them.
So nothing is signed with a key that the public notices do not name for that role, and every signature is
checked with the public key, which reveals at once that an alias was pointed to another key.

IAM actions, on the keys alone. A signing key: kms:Sign, kms:GetPublicKey, kms:ListResourceTags. A wrapped
seed: kms:Decrypt; to make one: kms:Encrypt.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from attestlayer.canonical import format_json, parse_json, take_document, take_string, take_value
from attestlayer.encoding import format_base64, parse_base64, parse_origin, shown
from attestlayer.errors import CouldNotCheckError
from attestlayer.keys import KEY_LENGTH, PrivateKey, PublicKey
from attestlayer.log.notices import Role
from issuer.adapters.aws.tries import first_line
from issuer.errors import Code, ServiceError, StoreError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

KEY_SPEC = "ECC_NIST_EDWARDS25519"
ROLE_TAG, ORIGIN_TAG = "attestlayer:role", "attestlayer:origin"
MAX_MESSAGE_LENGTH = 4096
"""Bytes that KMS takes as a RAW message. Pure Ed25519 signs the message itself, so no digest can stand in."""

_ALGORITHM: Final = "ED25519_SHA_512"
_WRAPPED = "wrapped-key"
# SubjectPublicKeyInfo of an Ed25519 key (RFC 8410 section 4): all but the 32 bytes of the key.
_SPKI = bytes.fromhex("302a300506032b6570032100")

# Errors that pass. Everything else below status 500 means that the key can't be used until somebody acts.
_PASSING = frozenset({"KMSInternalException", "LimitExceededException", "ThrottlingException"})


@dataclass(frozen=True, slots=True)
class Binding:
    """The one role and the one origin that a key may sign for."""

    role: Role
    origin: str

    def context(self) -> dict[str, str]:
        """The pairs that bind a key: encryption context of a wrapped seed, tags of a signing key."""
        return {ROLE_TAG: self.role.value, ORIGIN_TAG: self.origin}


class KmsSigner:
    """A `Signer` with the KMS key `key_id` (id or ARN). Reads its public key once, when it is made.

    Raises `ServiceError` (KEY_UNUSABLE) if it is no Ed25519 signing key or not bound to role and origin,
    `StoreError` if KMS does not answer.
    """

    def __init__(self, client: "KMSClient", key_id: str, binding: Binding) -> None:
        self._client = client
        self._key_id = key_id
        self.public = self._read_public()
        self._check_tags(binding)

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature over `message`, 4,096 bytes at most. One request."""
        if len(message) > MAX_MESSAGE_LENGTH:
            raise _unusable(self._key_id, f"{len(message)} bytes to sign, KMS takes {MAX_MESSAGE_LENGTH}")
        try:
            answer = self._client.sign(
                KeyId=self._key_id, Message=message, MessageType="RAW", SigningAlgorithm=_ALGORITHM
            )
        except (BotoCoreError, ClientError) as error:
            raise _failed(self._key_id, error) from error
        # An alias can be pointed to another key at any time: a signature that nobody could verify must not be
        # stored, since `signed/` objects are never replaced.
        signature = bytes(answer["Signature"])
        if not self.public.verifies(signature, message):
            raise _unusable(self._key_id, f"its signature is not of {self.public.kid}, which it was before")
        return signature

    def _read_public(self) -> PublicKey:
        try:
            answer = self._client.get_public_key(KeyId=self._key_id)
        except (BotoCoreError, ClientError) as error:
            raise _failed(self._key_id, error) from error
        # RFC 8410 section 4: the prefix names id-Ed25519; a key of another algorithm does not have it.
        spki, spec = bytes(answer["PublicKey"]), answer["KeySpec"]
        if spec != KEY_SPEC or not spki.startswith(_SPKI):
            raise _unusable(self._key_id, f"its key spec is {spec}, wanted {KEY_SPEC}")
        try:
            return PublicKey(spki.removeprefix(_SPKI))
        except ValueError as error:
            raise _unusable(self._key_id, str(error)) from error

    def _check_tags(self, binding: Binding) -> None:
        try:
            answer = self._client.list_resource_tags(KeyId=self._key_id)
        except (BotoCoreError, ClientError) as error:
            raise _failed(self._key_id, error) from error
        tags = {tag["TagKey"]: tag["TagValue"] for tag in answer["Tags"]}
        for name, wanted in binding.context().items():
            if tags.get(name) != wanted:
                found = shown(tags[name]) if name in tags else "none"
                raise _unusable(self._key_id, f"its tag {name} is {found}, wanted {shown(wanted)}")


class WrappedKey:
    """A `Signer` with a seed that the KMS key `key_id` wrapped into the document `wrapped`.

    Raises `ServiceError` (KEY_UNUSABLE) if the document is damaged or for another role or origin, or KMS
    does not decrypt it; `StoreError` if KMS does not answer.
    """

    def __init__(self, client: "KMSClient", key_id: str, binding: Binding, wrapped: bytes) -> None:
        # The binding is compared here first: KMS refuses another context without saying why.
        ciphertext, kid = _parse(wrapped, binding)
        try:
            answer = client.decrypt(
                KeyId=key_id, CiphertextBlob=ciphertext, EncryptionContext=binding.context()
            )
        except (BotoCoreError, ClientError) as error:
            raise _failed(key_id, error) from error
        # KMS has authenticated the ciphertext under this context. Length and kid are checked all the same:
        # the document may name another seed of the same role and origin.
        seed = bytes(answer["Plaintext"])
        if len(seed) != KEY_LENGTH:
            raise _unusable(key_id, f"it unwrapped {len(seed)} bytes, wanted a seed of {KEY_LENGTH}")
        self._key = PrivateKey(seed)
        if self._key.public.kid != kid:
            raise _unusable(key_id, f"it unwrapped {self._key.public.kid}, wanted {shown(kid)}")

    @property
    def public(self) -> PublicKey:
        """The public key, derived from the seed."""
        return self._key.public

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature over `message` of any length (RFC 8032, pure). No request."""
        return self._key.sign(message)


def wrap_seed(client: "KMSClient", key_id: str, binding: Binding, seed: bytes) -> bytes:
    """The document for `WrappedKey`: the seed, encrypted by KMS for this role and origin only.

    One request.
    """
    try:
        answer = client.encrypt(KeyId=key_id, Plaintext=seed, EncryptionContext=binding.context())
    except (BotoCoreError, ClientError) as error:
        raise _failed(key_id, error) from error
    return format_json(
        {
            "schema": f"attestlayer/{_WRAPPED}/1",
            "ciphertext": format_base64(bytes(answer["CiphertextBlob"])),
            "kid": PrivateKey(seed).public.kid,
            "origin": binding.origin,
            "role": binding.role.value,
        }
    )


def _parse(wrapped: bytes, binding: Binding) -> tuple[bytes, str]:
    """Ciphertext and kid from a document. Raises KEY_UNUSABLE if it is damaged or for another binding."""
    try:
        members = take_document(parse_json(wrapped), _WRAPPED, ("ciphertext", "kid", "origin", "role"))
        origin = take_value(members, "origin", parse_origin)
        role = take_value(members, "role", Role)
        kid = take_string(members, "kid")
        ciphertext = take_value(members, "ciphertext", parse_base64)
    except (ValueError, CouldNotCheckError) as error:
        raise ServiceError(Code.KEY_UNUSABLE, f"wrapped key: {error}") from error
    if (role, origin) != (binding.role, binding.origin):
        raise ServiceError(
            Code.KEY_UNUSABLE,
            f"wrapped key: it is the {role.value} key of {shown(origin)}, wanted the {binding.role.value} "
            f"key of {shown(binding.origin)}",
        )
    return ciphertext, kid


def _failed(key_id: str, error: Exception) -> ServiceError:
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if error.response["Error"]["Code"] not in _PASSING and status < 500:
            return _unusable(key_id, first_line(error))
    return StoreError(f"KMS key {key_id}: {first_line(error)}")


def _unusable(key_id: str, why: str) -> ServiceError:
    return ServiceError(Code.KEY_UNUSABLE, f"KMS key {key_id}: {why}")
