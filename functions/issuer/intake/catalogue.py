"""The policies that ship with the service, found by lane and profile or by hash."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from attestlayer.encoding import shown
from issuer.errors import Code, ServiceError
from issuer.intake.policy import Policy, parse_policy


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Policies, each of another lane, profile or version, in order of these three."""

    policies: tuple[Policy, ...]

    def find(self, lane_id: str, profile_id: str) -> Policy:
        """The newest version of a lane's profile. Raises `ServiceError` (UNKNOWN_LANE)."""
        found = [policy for policy in self.of_lane(lane_id) if policy.profile_id == profile_id]
        if not found:
            profiles = ", ".join(dict.fromkeys(policy.profile_id for policy in self.of_lane(lane_id)))
            raise ServiceError(
                Code.UNKNOWN_LANE,
                f"found profile {shown(profile_id)}, lane {lane_id} has these profiles: {profiles}",
            )
        return found[-1]

    def of_lane(self, lane_id: str) -> tuple[Policy, ...]:
        """All versions of all profiles of a lane. Raises `ServiceError` (UNKNOWN_LANE)."""
        found = tuple(policy for policy in self.policies if policy.lane_id == lane_id)
        if not found:
            lanes = ", ".join(dict.fromkeys(policy.lane_id for policy in self.policies))
            raise ServiceError(
                Code.UNKNOWN_LANE, f"found lane {shown(lane_id)}, the lanes that exist are: {lanes}"
            )
        return found

    def newest(self) -> tuple[Policy, ...]:
        """The newest version of each lane's profile."""
        return tuple({(policy.lane_id, policy.profile_id): policy for policy in self.policies}.values())

    def by_hash(self, policy_hash: bytes) -> Policy | None:
        """The policy whose bytes have this SHA-256, in any version, or None."""
        return next((policy for policy in self.policies if policy.policy_hash == policy_hash), None)


def build_catalogue(documents: Iterable[bytes]) -> Catalogue:
    """A catalogue of policy documents. Raises `ValueError` on a bad one or two of one version."""
    policies = sorted(map(parse_policy, documents), key=_place)
    for one, other in itertools.pairwise(policies):
        if _place(one) == _place(other):
            raise ValueError(f"two policies are {one.lane_id}/{one.profile_id} version {one.version}")
    return Catalogue(tuple(policies))


@cache
def load_policies() -> Catalogue:
    """The shipped policies, read from this package's files once.

    Raises `ValueError` if a file's place `<LANE>/<profile>/<version>.json` is not what it says inside.
    """
    documents = []
    for place, file in _policy_files():
        document = file.read_bytes()
        policy = parse_policy(document)
        if place != (policy.lane_id, policy.profile_id, f"{policy.version}.json"):
            raise ValueError(f"policy file {'/'.join(place)} is of another lane, profile or version")
        documents.append(document)
    return build_catalogue(documents)


def _policy_files() -> Iterable[tuple[tuple[str, str, str], Traversable]]:
    for lane in files("issuer.intake").joinpath("policies").iterdir():
        for profile in lane.iterdir() if lane.is_dir() else ():
            for file in profile.iterdir():
                if file.name.endswith(".json"):
                    yield (lane.name, profile.name, file.name), file


def _place(policy: Policy) -> tuple[str, str, int]:
    return policy.lane_id, policy.profile_id, policy.version
