"""RFC 8785 (JCS) by the standard library, in place of rfc8785.

For values in the profile of `canonical`, which is checked before: ASCII member names, so that the order
of code points is that of UTF-16 units (RFC 8785 section 3.2.3); integers up to 2^53 − 1 and no other
numbers (section 3.2.2.3); no lone surrogates. Python's encoder escapes in a string what section 3.2.2.2
says, and nothing else.
"""

import json


def format_jcs(value: object) -> bytes:
    """The canonical bytes of a value in the profile."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
