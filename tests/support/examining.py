"""An `Examiner` in the test's own process: no limits, nothing to start."""

from collections.abc import Sequence
from pathlib import Path

from issuer.intake.examine import Examined, examine
from issuer.intake.policy import Policy
from issuer.model import Record


class ExaminerHere:
    """Examines as the worker does, here."""

    def examine(self, policy: Policy, files: Sequence[tuple[Record, Path]]) -> tuple[Examined, ...]:
        """Each record with its file."""
        return tuple(examine(policy, record, path.read_bytes()) for record, path in files)
