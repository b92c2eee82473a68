"""RFC 8785 (JCS): canonical bytes of JSON values. The only user of rfc8785."""

from typing import cast

import rfc8785


def format_jcs(value: object) -> bytes:
    """The canonical bytes of a value in the profile of `canonical`, which calls this and nobody else."""
    return rfc8785.dumps(cast("dict[str, object]", value))  # type: ignore[arg-type]
