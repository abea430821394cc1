"""config.yaml: read once at start, checked like the library, frozen ever after."""

from __future__ import annotations

import os
import re
from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from bot.errors import Faults, Unusable
from bot.model import DAY, MINUTE, SECOND
from bot.sop.checking import validate
from bot.sop.reading import read
from bot.sop.schema import ClockTime, Duration, Part

NAME = "config.yaml"
PAGE_PASSWORD = "XIAOER_PAGE_PASSWORD"  # noqa: S105 - the name of a variable
DATABASE_URL = "XIAOER_DATABASE_URL"


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f'不认识的时区 "{name}"，要写 Asia/Shanghai 这样的名字')
    return name


def _shaped(pattern: str, sentence: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(sentence)
        return text

    return AfterValidator(check)


def _server(url: SecretStr) -> SecretStr:
    if not re.match(r"postgresql(\+psycopg)?://", url.get_secret_value()):
        raise ValueError("database_url 要写 postgresql://用户:密码@主机:端口/库名 这样的")
    return url


def _from_one(table: dict[int, int]) -> dict[int, int]:
    if 1 not in table:
        raise ValueError("points 里要有 1: 第一天签到得多少分")
    return table


Points = Annotated[int, Field(ge=1, le=1_000_000)]


class SignIn(Part):
    """`points`: from which streak on how many points a day; `day_starts`: when a new day begins."""

    points: Annotated[dict[Annotated[int, Field(ge=1)], Points], AfterValidator(_from_one)] = Field(
        default_factory=lambda: {1: 5, 3: 6, 7: 10, 30: 15}
    )
    day_starts: ClockTime = time(0)


class Entry(Part):
    """`remind_after`: how long a newcomer may be silent before the one reminder."""

    remind_after: Duration = 30 * MINUTE


class RedPacket(Part):
    """`expires`: when what nobody took goes back."""

    expires: Duration = DAY


class Page(Part):
    """Where the pages are. Off loopback they want a password (XIAOER_PAGE_PASSWORD)."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8642

    @property
    def loopback(self) -> bool:
        return self.host in {"127.0.0.1", "localhost", "::1"}


class Log(Part):
    """How the log is written, and how much: `debug` has a line for each event that was handled."""

    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning"] = "info"


class Pace(Part):
    """How fast an account may send: gaps between messages in one chat, and between posts to different
    chats, and so many messages a minute in all.
    """

    chat_gap: Duration = SECOND
    post_gap: Duration = 3 * SECOND
    per_minute: Annotated[int, Field(ge=1, le=100_000)] = 40


class Account(Part):
    """One WeChat account behind a Wechaty gateway. Its token stands in the environment.

    `tls_ca` is a file of certificates to trust instead of the system's, `tls_name` whom the gateway's
    certificate was made out to, where that is not the endpoint's host.
    """

    name: Annotated[str, _shaped(r"[\w-]+", 'name 只能用字母、数字、汉字、"-" 和 "_"')]
    adapter: Literal["wechaty"] = "wechaty"
    endpoint: Annotated[str, _shaped(r"[^\s/:]+:\d{1,5}", "endpoint 要写 主机:端口，比如 127.0.0.1:8788")]
    token_env: Annotated[
        str, _shaped(r"[A-Z_][A-Z0-9_]*", "token_env 要写环境变量的名字，比如 SHOP_TOKEN")
    ] = "XIAOER_WECHATY_TOKEN"  # noqa: S105 - a name
    tls: bool = False
    tls_ca: str = ""
    tls_name: str = ""

    @model_validator(mode="after")
    def _tls_is_on(self) -> Self:
        if not self.tls and (self.tls_ca or self.tls_name):
            raise ValueError("写了 tls_ca 或 tls_name，就要写 tls: true")
        return self

    @property
    def token(self) -> str:
        """The token. Raises Unusable when the environment has none."""
        token = os.environ.get(self.token_env, "")
        if not token:
            raise Unusable(f"账号 {self.name} 的令牌没有设：请先设好环境变量 {self.token_env}。")
        return token


class Settings(Part):
    """All of config.yaml; every key has a default, so the file may be empty or missing.

    `reports_to` is the group that gets the Sunday report: its title, or account/chat.
    """

    timezone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"
    data: str = "data"
    database_url: Annotated[SecretStr, AfterValidator(_server)] | None = None
    library: str = "sop_library"
    reports_to: str = ""
    treasury: Annotated[int, Field(ge=0, le=1_000_000_000)] = 10_000
    sign_in: SignIn = Field(default_factory=SignIn)
    entry: Entry = Field(default_factory=Entry)
    red_packet: RedPacket = Field(default_factory=RedPacket)
    page: Page = Field(default_factory=Page)
    log: Log = Field(default_factory=Log)
    accounts: tuple[Account, ...] = ()
    sandbox: bool | None = None
    pace: Annotated[Pace | None, BeforeValidator(lambda value: value or None)] = None

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [account.name for account in self.accounts]
        if len(names) != len(set(names)) or "sandbox" in names:
            raise ValueError("accounts 里的 name 不能重复，也不能叫 sandbox")
        return self

    @property
    def server(self) -> str:
        """The URL of the server that the database is on; '' when it is a file in the data folder."""
        return self.database_url.get_secret_value() if self.database_url else ""

    @property
    def with_sandbox(self) -> bool:
        """The sandbox runs unless there are accounts, or as the file says."""
        return not self.accounts if self.sandbox is None else self.sandbox


def load(path: Path, *, required: bool) -> Settings:
    """Read the settings, and from the environment where the database is.

    Raises Faults with all that is wrong, and Unusable for a file that is not there.
    """
    return _from_environment(_read(path, required=required))


def _read(path: Path, *, required: bool) -> Settings:
    if not path.exists():
        if required:
            raise Unusable(f"找不到配置文件 {path}。")
        return Settings()
    if path.is_file() and not path.read_bytes().strip():
        return Settings()
    settings, faults = validate(read(path, str(path)), Settings)
    if settings is None:
        raise Faults(faults)
    return settings


def _from_environment(settings: Settings) -> Settings:
    """A URL holds a password, so it may stand in the environment; what stands there goes first."""
    url = os.environ.get(DATABASE_URL)
    if not url:
        return settings
    try:
        return settings.model_copy(update={"database_url": _server(SecretStr(url))})
    except ValueError:
        raise Unusable(
            f"环境变量 {DATABASE_URL} 要写 postgresql://用户:密码@主机:端口/库名 这样的。"
        ) from None
