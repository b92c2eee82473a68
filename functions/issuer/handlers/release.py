"""After each round: verify-kit.zip is made anew if the trust root changed."""

from typing import Any

from issuer.bootstrap import service


def handler(event: dict[str, Any], context: object) -> dict[str, object]:
    """Answers whether it changed."""
    del event, context
    return {"changed": service().kit_of_verifiers.refresh()}
