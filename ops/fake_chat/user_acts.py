"""The acts that a request to `POST /{app}/users/{user_id}/messages` may ask of a user."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ops.fake_chat.faults import InvalidRequest, describe_errors

Media = Literal["photo", "voice", "sticker", "location"]


class Contact(BaseModel):
    """A shared contact: the user's own, or any other."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    phone_number: str
    own: bool = True


class UserAct(BaseModel):
    """One act of a user: a text, a press on a button, a contact, a medium, or blocking the bot."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str | None = Field(default=None, min_length=1, max_length=4096)
    button: str | None = None
    contact: Contact | None = None
    media: Media | None = None
    blocks: bool | None = None

    @model_validator(mode="after")
    def _is_one_act(self) -> "UserAct":
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError("one of text, button, contact, media and blocks")
        return self


def parse_act(body: bytes) -> UserAct:
    """Return the act in a body. Raise InvalidRequest."""
    try:
        return UserAct.model_validate_json(body)
    except ValidationError as error:
        raise InvalidRequest(describe_errors(error)) from None
