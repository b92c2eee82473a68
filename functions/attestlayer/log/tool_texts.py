"""Texts for other people's tools: verifier keys, a tlog-policy, an entry for public lists of logs.

Each follows from the notices, the newest checkpoint's time and the cadence alone (REG-1.0 section 10.6).
"""

from attestlayer.log import layout
from attestlayer.log.note import ED25519, VerifierKey
from attestlayer.log.notices import Role
from attestlayer.log.trust import Keyring, KnownKey

_DAY_S = 86_400
_REQUESTS_A_ROUND = 2
"""A request to a witness in each round, and a second one where its answer names another size."""


def registry_vkeys(keyring: Keyring, time: int) -> str:
    """The verifier keys of the registry keys that count at `time`, one a line, the signing one first."""
    return "".join(_line(keyring, key) for key in keyring.keys_at(Role.REGISTRY, time))


def registry_key_objects(keyring: Keyring) -> dict[str, bytes]:
    """By name, the verifier key of each registry key that the notices ever added, as a line."""
    keys = (key for key in keyring.keys.values() if key.role == Role.REGISTRY)
    return {layout.registry_key_path(key.public.kid): _line(keyring, key).encode() for key in keys}


def policy_text(keyring: Keyring, time: int) -> str:
    """A tlog-policy (C2SP): a `log` line with the signing key, then the witness policy in force at `time`."""
    # One key only: some tools demand a signature by each log that a policy lists.
    return (
        f"log {_signing_key(keyring, time)} https://{keyring.origin}/\n{keyring.witness_policy_at(time).text}"
    )


def log_list(keyring: Keyring, time: int, cadence_s: int) -> str:
    """This log's entry for public lists of logs, as a list of its own (witness-network's `logs/v0`)."""
    requests = max(1, _REQUESTS_A_ROUND * _DAY_S // cadence_s)
    contact = f"https://{keyring.origin}/{layout.SECURITY}"
    return f"logs/v0\n\nvkey {_signing_key(keyring, time)}\nqpd {requests}\ncontact {contact}\n"


def _signing_key(keyring: Keyring, time: int) -> str:
    return registry_vkeys(keyring, time).split("\n", 1)[0]


def _line(keyring: Keyring, key: KnownKey) -> str:
    return f"{VerifierKey(keyring.origin, ED25519, key.public).format()}\n"
