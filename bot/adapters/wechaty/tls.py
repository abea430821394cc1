"""TLS to a gateway: whom to trust, and by which name the gateway must be known."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Tls:
    """The gateway's certificate is always checked.

    `ca` is a file of certificates to trust instead of the system's; `name` is whom the gateway's
    certificate was made out to, where that is not the host of its endpoint.
    """

    ca: Path | None = None
    name: str = ""

    def context(self) -> ssl.SSLContext:
        """What connections are made with. Raises OSError when the file cannot be read or holds none."""
        context = ssl.create_default_context(cafile=self.ca)
        # Python 3.13 turns away certificates that many make for themselves, for what they leave out.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.set_alpn_protocols(["h2"])
        return context
