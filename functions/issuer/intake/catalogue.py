"""The policies that ship with the service, by lane and profile and by hash."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from attestlayer.canonical import Members, format_json, take_integer
from attestlayer.encoding import Hash, shown
from issuer.errors import Code, ServiceError
from issuer.intake.policy import Policy, parse_policy
from issuer.intake.source import expand_policy, read_toml

_FOLDER = files("issuer.intake") / "policies"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Policies, each of another lane, profile or version, in order of these three."""

    policies: tuple[Policy, ...]

    def find(self, lane_id: str, profile_id: str) -> Policy:
        """The newest version of a lane's profile. Raises `ServiceError` (UNKNOWN_LANE)."""
        versions = [policy for policy in self.of_lane(lane_id) if policy.profile_id == profile_id]
        if not versions:
            profiles = ", ".join(dict.fromkeys(policy.profile_id for policy in self.of_lane(lane_id)))
            raise ServiceError(
                Code.UNKNOWN_LANE,
                f"found profile {shown(profile_id)}, lane {lane_id} has these profiles: {profiles}",
            )
        return versions[-1]

    def of_lane(self, lane_id: str) -> tuple[Policy, ...]:
        """All versions of all profiles of a lane. Raises `ServiceError` (UNKNOWN_LANE)."""
        policies = tuple(policy for policy in self.policies if policy.lane_id == lane_id)
        if not policies:
            lanes = ", ".join(dict.fromkeys(policy.lane_id for policy in self.policies))
            raise ServiceError(
                Code.UNKNOWN_LANE, f"found lane {shown(lane_id)}, the lanes that exist are: {lanes}"
            )
        return policies

    def newest(self) -> tuple[Policy, ...]:
        """The newest version of each lane's profile."""
        return tuple({(policy.lane_id, policy.profile_id): policy for policy in self.policies}.values())

    def by_hash(self, intake_policy_hash: bytes) -> Policy | None:
        """The policy whose bytes have this SHA-256, in any version, or None."""
        hashes = {policy.intake_policy_hash: policy for policy in self.policies}
        return hashes.get(Hash(intake_policy_hash))


def build_catalogue(policies: Iterable[Policy]) -> Catalogue:
    """A catalogue of policies. Raises `ValueError` if two are the same version of a lane's profile."""
    ordered = sorted(policies, key=_place)
    for one, other in itertools.pairwise(ordered):
        if _place(one) == _place(other):
            raise ValueError(f"two policies are {one.lane_id}/{one.profile_id} version {one.version}")
    return Catalogue(tuple(ordered))


@cache
def load_policies() -> Catalogue:
    """The shipped policies: those that `policies/hashes.txt` lists, each with its hash.

    Raises `ValueError` if a policy is not the one that was published under its lane, profile and version:
    kits and the registry name it by its hash.
    """
    lines = _FOLDER.joinpath("hashes.txt").read_text("ascii").splitlines()
    return build_catalogue(_load_policy(*line.split()) for line in lines)


def _load_policy(published_hash: str, place: str) -> Policy:
    source = _read_toml(place)
    document = expand_policy(source, load_words(take_integer(source, "words")))
    policy = parse_policy(format_json(document))
    if "/".join(map(str, _place(policy))) != place:
        raise ValueError(f"policy {place} is of another lane, profile or version")
    if (found := policy.intake_policy_hash.hex()) != published_hash:
        raise ValueError(f"policy {place} has the hash {found}, wanted {published_hash}")
    return policy


@cache
def load_words(edition: int) -> Members:
    """An edition of the words and shapes that policies share."""
    return _read_toml(f"words/{edition}")


def _read_toml(place: str) -> Members:
    return read_toml(_FOLDER.joinpath(f"{place}.toml").read_bytes())


def _place(policy: Policy) -> tuple[str, str, int]:
    return policy.lane_id, policy.profile_id, policy.version
