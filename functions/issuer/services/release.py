"""Publishes verify-kit.zip, which holds the registry's trust root and is made anew when that changes."""

from dataclasses import dataclass

from attestlayer.errors import VerificationError
from attestlayer.log import layout
from attestlayer.log.trust import parse_trust
from issuer.errors import LogHaltedError, StaleTagError, StoreError
from issuer.ports import ObjectStore, ReleaseReader
from issuer.release.verify_kit import make_verify_kit

_TRIES = 8


@dataclass(frozen=True)
class KitOfVerifiers:
    """Keeps `/v1/verify-kit.zip` what this release and the public trust root make."""

    public: ObjectStore
    release: ReleaseReader

    def run(self) -> bool:
        """Make and publish it. Returns whether it changed. Raises `LogHaltedError`, `StoreError`."""
        for _ in range(_TRIES):
            current, trust = self.public.read_tagged(layout.VERIFY_KIT), self._trust()
            try:
                data = make_verify_kit(self.release.read(), parse_trust(trust))
            except VerificationError as error:
                raise LogHaltedError(f"the public {layout.TRUST} is damaged: {error}") from error
            if current and current.data == data:
                return False
            try:
                self.public.replace(layout.VERIFY_KIT, data, current.tag if current else None)
            except StaleTagError:
                continue
            return True
        raise StoreError(f"{layout.VERIFY_KIT} was replaced by others {_TRIES} times in a row")

    def refresh(self) -> bool:
        """As `run` if the trust root changed: its bytes stand in the ZIP as they are. Cheap if not."""
        published = self.public.read(layout.VERIFY_KIT)
        return self.run() if published is None or self._trust() not in published else False

    def _trust(self) -> bytes:
        data = self.public.read(layout.TRUST)
        if data is None:
            raise LogHaltedError("the registry has no trust root yet: run `issuer init` first")
        return data
