"""The shapes of accounts, sessions and API tokens."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
)

from vitruvian.server.api.schemas.common import Strict, Time, Title, printable

Scope = Literal["reconstructions:read", "reconstructions:write"]


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not hold a null character")
    text.encode()  # raises on half a surrogate pair, which is a ValueError
    return text


Password = Annotated[str, Field(max_length=1024), AfterValidator(_storable)]


class Credentials(Strict):
    """To register or to log in."""

    name: Annotated[
        str, Field(min_length=3, max_length=100, description="Any name, such as an e-mail address.")
    ]
    password: Password

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "anna@example.org", "password": "correct horse battery"}]
        }
    )


class NewAccount(Credentials):
    """To register."""

    name: Annotated[str, Field(min_length=3, max_length=100), AfterValidator(printable)]


class PasswordChange(Strict):
    """To change the password; API tokens stay unless ``revoke_tokens``."""

    current_password: Password
    new_password: Password
    revoke_tokens: bool = False


class AccountDeletion(Strict):
    """To delete the account: the password once more; a guest has none."""

    password: Password | None = None


class AccountBrief(BaseModel):
    """Who is logged in."""

    id: str
    name: str | None
    guest: bool
    created_at: Time


class Session(BaseModel):
    """The session of this browser; all null when nobody is logged in."""

    account: AccountBrief | None
    csrf_token: str | None
    expires_at: Time | None


class OpenSession(BaseModel):
    """A browser that is logged in. ``current`` is the one that asks."""

    id: str
    browser: str | None
    current: bool
    created_at: Time
    seen_at: Time
    expires_at: Time


class OpenSessions(BaseModel):
    """The sessions of an account, the latest first."""

    items: list[OpenSession]


class Amount(BaseModel):
    """Results and their size."""

    reconstructions: int
    bytes: int


class Account(AccountBrief):
    """An account with what it uses and may use."""

    usage: Amount
    quota: Amount


class NewToken(Strict):
    """To make an API token."""

    name: Title
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=2)]
    expires_in_days: Annotated[int, Field(ge=1, le=3650)] | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "render farm", "scopes": ["reconstructions:write"]}]
        }
    )


class Token(BaseModel):
    """An API token. ``token`` is there in the answer to its creation only."""

    id: str
    name: str
    scopes: list[Scope]
    created_at: Time
    expires_at: Time | None
    last_used_at: Time | None
    token: str | None = None


class Tokens(BaseModel):
    """Every API token."""

    items: list[Token]
