"""What crosses the border of the notifications package: a text of the ledger is to be taken up again."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class TextDue(BaseModel):
    """A text is due. The ledger knows everything else."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: Literal["TextDue"] = "TextDue"
    version: Literal[1] = 1
    message_id: str
