"""What callers send: strict models. An unknown member or another type is refused."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from attestlayer.encoding import parse_hash


class Body(BaseModel):
    """A request body."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _check_hash(text: str) -> str:
    parse_hash(text)
    return text


ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Sha256 = Annotated[
    str,
    AfterValidator(_check_hash),
    Field(
        description="SHA-256 of the file: 43 characters of base64url without padding",
        examples=["47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"],
    ),
]


class ContactBody(Body):
    """A person of a partner."""

    name: ShortText
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]
    role: ShortText = Field(description="what the person does, in your words", examples=["operations"])


class QualificationBody(Body):
    """A request to take part."""

    tier: Literal["starter", "growth", "portfolio"]
    contact: ContactBody
    workflow: Annotated[str, StringConstraints(min_length=1, max_length=4000)] = Field(
        description="the partner's workflow, in words"
    )


class ContactsBody(Body):
    """The whole contact list, in place of the old one."""

    contacts: Annotated[list[ContactBody], Field(max_length=50)]


class PacketBody(Body):
    """A new packet."""

    lane_id: ShortText = Field(examples=["PAY-01"])
    profile_id: ShortText = Field(examples=["wire-transfer"])
    reference: ShortText = Field(description="the partner's own reference; never public")
    cohort: ShortText | None = Field(default=None, description="whose reserved credits pay first")
    supersedes: ShortText | None = Field(default=None, description="the kit that this one replaces")


class RecordBody(Body):
    """A record that is to be uploaded: exactly these bytes and no others are taken."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=255)] = Field(
        description="the client's file name, in any script"
    )
    record_type: ShortText
    size: Annotated[int, Field(ge=0, description="bytes")]
    sha256: Sha256
    metadata: Annotated[
        dict[ShortText, Annotated[str, StringConstraints(max_length=1000)]], Field(max_length=50)
    ] = {}


class IssueBody(Body):
    """A request to issue."""

    client_nonce: Annotated[str, StringConstraints(max_length=1000)] = Field(
        description="the client's nonce file: three lines, each with a line feed behind it"
    )
