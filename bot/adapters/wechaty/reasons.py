"""Why a gateway is gone, in words for the operator."""

from __future__ import annotations

import ssl

from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError

_STATUS = {
    Status.UNAUTHENTICATED: "令牌不对",
    Status.PERMISSION_DENIED: "令牌不对",
    Status.ALREADY_EXISTS: "别的程序占着这个网关",
}


def why(error: Exception | None) -> str:
    """One sentence. None stands for a stream that the gateway ended by itself."""
    match error:
        case None:
            said = "网关自己断开了"
        case ssl.SSLCertVerificationError():
            said = f"网关的证书信不过：{error.verify_message}"
        case ssl.SSLError():
            said = "TLS 谈不拢，网关可能没有开 TLS"
        case TimeoutError():
            said = "网关没有按时回话"
        case OSError():
            said = "连不上网关"
        case StreamTerminatedError():
            said = "和网关的连接断了"
        case GRPCError():
            said = _STATUS.get(error.status) or f"网关回的是 {error.status.name}：{error.message}"
        case _:
            said = f"和网关说不通：{error!r}"
    return said


def is_taken(error: Exception | None) -> bool:
    """Whether the gateway has another client; it takes one at a time."""
    return isinstance(error, GRPCError) and error.status is Status.ALREADY_EXISTS
