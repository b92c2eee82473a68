"""RFC 8785 (JCS): canonical bytes of JSON values. The only user of rfc8785."""

from collections.abc import Callable

import rfc8785

format_jcs: Callable[[object], bytes] = rfc8785.dumps  # type: ignore[assignment]
"""The canonical bytes of a value in the profile of `canonical`, which calls this and nobody else."""
