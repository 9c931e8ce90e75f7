"""Signatures."""

from __future__ import annotations

from vitruvian.server.accounts.signing import Signer


def test_signatures_belong_to_secret_purpose_and_text() -> None:
    signer = Signer(b"one secret")
    made = signer.sign("share", "abc")
    assert signer.fits("share", "abc", made)
    assert not signer.fits("csrf", "abc", made)
    assert not signer.fits("share", "abd", made)
    assert not Signer(b"another").fits("share", "abc", made)
    token = signer.share_token("abc")
    assert signer.share_id(token) == "abc"
    for wrong in ("", "abc", made, token + "A", "A" + token, token.swapcase(), "ä" * 40):
        assert signer.share_id(wrong) is None
