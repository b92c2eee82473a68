"""README.txt of a kit: what it is, how to check it with and without our tools."""

from attestlayer.encoding import format_time
from attestlayer.kit.receipt import BOUNDARY
from issuer.model import KitRegistry

_TEXT = """\
AttestLayer evidence kit {kit_id}
{rule}

{boundary}

This kit records what was submitted, what was accepted into scope and what was
issued for lane {lane_id}, profile {profile_id}. It was issued by AttestLayer at
{issued_at} and is recorded in the public registry {origin}.

WHAT IS IN IT
  binder.pdf                       for people: records, checks, how to verify
  records/                         the accepted records, bytes untouched
  intake_report.json               the policy, the records, the checks
  manifest.json                    every file with its size and SHA-256
  hash_trail.json                  what happened, in order, each step chained
  receipt.json                     the signed statement that binds all of it
  registry/client_nonce.txt        the client's random value
  registry/registry_receipt.json   its place in the public registry (delivered
                                   kits have it; the digest leaves it out)

CHECK IT
With a browser, where nothing is uploaded:

  {verify_page}

On a command line, with a trust root that you got from somebody you trust and
not from this kit:

  attestlayer verify kit.zip --trust trust.json

Both work offline. They say VERIFIED, NOT VERIFIED or COULD NOT CHECK.
They take the kit as it was delivered, its unpacked folder, or a ZIP that was
packed again from it. Step 1 below needs the kit as it was delivered.

CHECK IT WITHOUT OUR TOOLS
1. The kit's digest. Take the registry receipt out again; what is left is the
   sealed kit, byte for byte, and the leaf in the registry names its SHA-256:

  cp kit.zip sealed.zip
  zip -q -d sealed.zip registry/registry_receipt.json
  openssl dgst -sha256 -binary sealed.zip | base64 | tr '+/' '-_' | tr -d '='
  unzip -p kit.zip registry/registry_receipt.json \\
    | grep -o '"kit_digest":"[^"]*"'

2. The receipt's signature, Ed25519 over the receipt without its signature:

  unzip -p kit.zip receipt.json > receipt.json
  sed 's/"signature":"[^"]*",//' receipt.json | tr -d '\\n' > statement.bin
  sed 's/.*"signature":"\\([^"]*\\)".*/\\1==/' receipt.json | tr '_-' '/+' \\
    | base64 -d > signature.bin

   The issuer's key is the one with kid
   {issuer_kid}
   in issuer.jwks.json of the registry; put its x between the quotes:

  X='...'
  printf '\\060\\052\\060\\005\\006\\003\\053\\145\\160\\003\\041\\000' > key.der
  printf '%s=' "$X" | tr '_-' '/+' | base64 -d >> key.der
  openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin \\
    -in statement.bin -sigfile signature.bin

3. Each file: its SHA-256 (sha256sum) is the manifest's, in base64url; the
   manifest's SHA-256 is the receipt's manifest_sha256. The registry's public
   specification, REG-1.0, says the rest.

WHAT IT PROVES
  files match the manifest; the manifest matches the receipt; the receipt's key
  ID matches a public key; the receipt's signature verifies; the kit has not
  been modified since issuance.

WHAT IT DOES NOT PROVE
  company compliance status; company security status; that controls are
  operating effectively; that a buyer, auditor, insurer, bank, regulator or PSP
  has accepted the packet; that the evidence content is legally sufficient.

{boundary}
"""


def format_readme(
    *, kit_id: str, lane_id: str, profile_id: str, issued_at: int, registry: KitRegistry, issuer_kid: str
) -> bytes:
    """The file's bytes: ASCII, lines of at most 80 characters but for the boundary sentence and addresses."""
    text = _TEXT.format(
        kit_id=kit_id,
        lane_id=lane_id,
        profile_id=profile_id,
        issued_at=format_time(issued_at),
        origin=registry.origin,
        verify_page=registry.verify_page,
        issuer_kid=issuer_kid,
        rule="=" * len(f"AttestLayer evidence kit {kit_id}"),
        boundary=BOUNDARY,
    )
    return text.encode("ascii")
