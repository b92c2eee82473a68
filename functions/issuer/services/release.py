"""Publishes verify-kit.zip, which contains the registry's trust root and so is rebuilt when that changes."""

from dataclasses import dataclass

from attestlayer.errors import VerificationError
from attestlayer.log import layout
from attestlayer.log.trust import parse_trust
from issuer.errors import LogHaltedError
from issuer.log.store import keep_current
from issuer.ports import ObjectStore, ReleaseReader
from issuer.release.verify_kit import make_verify_kit


@dataclass(frozen=True)
class KitOfVerifiers:
    """Keeps `/v1/verify-kit.zip` in step with this release and the public trust root."""

    public: ObjectStore
    release: ReleaseReader

    def run(self) -> bool:
        """Build and publish it. Returns whether it changed. Raises `LogHaltedError`, `StoreError`."""
        return keep_current(self.public, layout.VERIFY_KIT, self._make)

    def _make(self) -> bytes:
        try:
            return make_verify_kit(self.release.read(), parse_trust(self._trust()))
        except VerificationError as error:
            raise LogHaltedError(f"the public {layout.TRUST} is damaged: {error}") from error

    def refresh(self) -> bool:
        """As `run`, but only if the trust root changed. Costs two reads otherwise."""
        # Members of a canonical ZIP are stored uncompressed (REG-1.0 section 6.5): the trust root's bytes are
        # in it as they are.
        published = self.public.read(layout.VERIFY_KIT)
        return self.run() if published is None or self._trust() not in published else False

    def _trust(self) -> bytes:
        data = self.public.read(layout.TRUST)
        if data is None:
            raise LogHaltedError("the registry has no trust root yet: run `issuer init` first")
        return data
