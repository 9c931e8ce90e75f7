"""Tokens, and signatures with the server's secret."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode

TOKEN_PREFIX = "vtr_"


def new_token() -> str:
    """A secret of 256 bits."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is kept of a token. It is random, so a plain hash cannot be turned round."""
    return hashlib.sha256(token.encode()).hexdigest()


class Signer:
    """Makes and checks signatures with the server's secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, purpose: str, text: str) -> str:
        """Signature of ``text`` for one purpose, 32 characters."""
        whole = hmac.new(self._secret, f"{purpose}\0{text}".encode(), hashlib.sha256).digest()
        return urlsafe_b64encode(whole[:24]).decode()

    def fits(self, purpose: str, text: str, signature: str) -> bool:
        """Whether a signature is ours; takes the same time for any wrong one."""
        return hmac.compare_digest(self.sign(purpose, text).encode(), signature.encode())

    def csrf_token(self, session_id: str) -> str:
        """The token that requests of a session must carry."""
        return self.sign("csrf", session_id)

    def share_token(self, share_id: str) -> str:
        """The secret part of a share link's address."""
        return f"{share_id}{self.sign('share', share_id)}"

    def share_id(self, token: str) -> str | None:
        """The share that a token belongs to, or None when the token is not ours."""
        if not token.isascii():
            return None
        share_id, signature = token[:-32], token[-32:]
        return share_id if share_id and self.fits("share", share_id, signature) else None
