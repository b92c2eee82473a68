"""The sample records of all profiles, and the files they make."""

import json
from dataclasses import dataclass
from pathlib import PurePosixPath

from . import (
    samples_agent,
    samples_batch,
    samples_change,
    samples_dora,
    samples_identity,
    samples_vendor,
    samples_wire,
)
from .sample import Sample


@dataclass(frozen=True)
class SampleSet:
    """The complete records of one profile."""

    lane_id: str
    profile_id: str
    samples: tuple[Sample, ...]


SETS = (
    SampleSet("AGENT-01", "tool-action", samples_agent.SAMPLES),
    SampleSet("DORA", "ict-third-party", samples_dora.SAMPLES),
    SampleSet("HUMAN-01", "change-approval", samples_change.SAMPLES),
    SampleSet("ID-01", "authorised-signatory", samples_identity.SAMPLES),
    SampleSet("PAY-01", "payment-batch", samples_batch.SAMPLES),
    SampleSet("PAY-01", "wire-transfer", samples_wire.SAMPLES),
    SampleSet("VENDOR", "security-review", samples_vendor.SAMPLES),
)


def sample_files() -> dict[PurePosixPath, bytes]:
    """Path below the samples' folder → bytes, sidecars among them."""
    files: dict[PurePosixPath, bytes] = {}
    for one in SETS:
        folder = PurePosixPath(one.lane_id, one.profile_id)
        files |= {folder / sample.file: sample.content for sample in one.samples}
        files[folder / "records.json"] = _sidecar(one)
    return files


def _sidecar(one: SampleSet) -> bytes:
    records = [
        {"file": sample.file, "record_type": sample.record_type, "metadata": sample.metadata}
        for sample in one.samples
    ]
    document = {
        "schema": "attestlayer/intake-sidecar/1",
        "lane_id": one.lane_id,
        "profile_id": one.profile_id,
        "records": records,
    }
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
