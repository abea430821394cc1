"""config.yaml: read once at start, checked like the library, frozen ever after."""

from __future__ import annotations

import os
import re
from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, WithJsonSchema, model_validator

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


# A key with nothing behind it, as an editor has it.
Nothing = Annotated[str, WithJsonSchema({"type": "null"})]


def _from_one(table: dict[int, int]) -> dict[int, int]:
    if 1 not in table:
        raise ValueError("points 里要有 1: 第一天签到得多少分")
    return table


Points = Annotated[int, Field(ge=1, le=1_000_000)]


class SignIn(Part):
    """`points`: from which streak on how many points a day; `day_starts`: when a new day begins."""

    points: Annotated[dict[Annotated[int, Field(ge=1)], Points], AfterValidator(_from_one)] = Field(
        default_factory=lambda: {1: 5, 3: 6, 7: 10, 30: 15},
        description="连续到第几天起，每天得几分；要有第 1 天，比如 {1: 5, 3: 6, 7: 10, 30: 15}",
    )
    day_starts: ClockTime = Field(time(0), description="新的一天从几点算起，不写是 00:00")


class Entry(Part):
    """`remind_after`: how long a newcomer may be silent before the one reminder."""

    remind_after: Duration = Field(30 * MINUTE, description="新人多久没说暗号就提醒，只提醒一次；不写是 30m")


class RedPacket(Part):
    """`expires`: when what nobody took goes back."""

    expires: Duration = Field(DAY, description="多久没抢完就退回，不写是 24h")


class Page(Part):
    """Where the pages are. Off loopback they want a password (XIAOER_PAGE_PASSWORD)."""

    host: str = Field(
        "127.0.0.1",
        description="给谁看，不写只给本机；改成别的，要先设环境变量 XIAOER_PAGE_PASSWORD",
    )
    port: int = Field(8642, ge=0, le=65535, description="端口，不写是 8642；0 是随便挑一个空的")

    @property
    def loopback(self) -> bool:
        return self.host in {"127.0.0.1", "localhost", "::1"}


class Log(Part):
    """How the log is written, and how much: `debug` has a line for each event that was handled."""

    format: Literal["text", "json"] = Field("text", description="text 给人看，json 给程序读；不写是 text")
    level: Literal["debug", "info", "warning"] = Field("info", description="写到多细，不写是 info")


class Pace(Part):
    """How fast an account may send: gaps between messages in one chat, and between posts to different
    chats, and so many messages a minute in all.
    """

    chat_gap: Duration = Field(SECOND, description="同一个群里两条之间隔多久，不写是 1s")
    post_gap: Duration = Field(3 * SECOND, description="时段和定时的话，发给不同的群隔多久，不写是 3s")
    per_minute: int = Field(40, ge=1, le=100_000, description="一个账号一分钟最多几条，不写是 40")


class Account(Part):
    """One WeChat account behind a Wechaty gateway. Its token stands in the environment.

    `tls_ca` is a file of certificates to trust instead of the system's, `tls_name` whom the gateway's
    certificate was made out to, where that is not the endpoint's host.
    """

    name: Annotated[str, _shaped(r"[\w-]+", 'name 只能用字母、数字、汉字、"-" 和 "_"')] = Field(
        description="自己起的名字，不重复；定了就别改，群和积分都挂在它下面"
    )
    adapter: Literal["wechaty"] = Field("wechaty", description="接哪一种平台，现在只有 wechaty")
    endpoint: Annotated[str, _shaped(r"[^\s/:]+:\d{1,5}", "endpoint 要写 主机:端口，比如 127.0.0.1:8788")] = (
        Field(description="网关的地址，写 主机:端口，不带 http")
    )
    token_env: Annotated[
        str, _shaped(r"[A-Z_][A-Z0-9_]*", "token_env 要写环境变量的名字，比如 SHOP_TOKEN")
    ] = Field("XIAOER_WECHATY_TOKEN", description="令牌放在哪个环境变量里，不写是 XIAOER_WECHATY_TOKEN")
    tls: bool = Field(False, description="和网关说话用不用 TLS，不写是不用")
    tls_ca: str = Field("", description="只信这个文件里的证书，PEM 格式；不写就信系统里的")
    tls_name: str = Field("", description="网关的证书是发给谁的，不写就是 endpoint 里的主机")

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
    """All of config.yaml; every key has a default, so the file may be empty or missing."""

    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        "Asia/Shanghai", description="群的时区，不写是 Asia/Shanghai"
    )
    data: str = Field("data", description="数据目录，从开工的地方算起，不写是 data")
    database_url: Annotated[SecretStr, AfterValidator(_server)] | None = Field(
        None, description="数据库在 PostgreSQL 服务器上才写；有密码，最好放在环境变量 XIAOER_DATABASE_URL 里"
    )
    library: str = Field("sop_library", description="活动库，从开工的地方算起，不写是 sop_library")
    notices_to: str = Field(
        "", description="晚了、错过、没发成的事告诉哪个群：写 账号/群号，或者群名；不写就只记日志"
    )
    reports_to: str = Field("", description="周日晚上的周报发到哪个群：写 账号/群号，或者群名；不写就不发")
    treasury: int = Field(
        10_000, ge=0, le=1_000_000_000, description="第一次开张时给国库多少分，不写是 10000，0 就是不给"
    )
    sign_in: SignIn = Field(default_factory=SignIn, description="签到")
    entry: Entry = Field(default_factory=Entry, description="入群")
    red_packet: RedPacket = Field(default_factory=RedPacket, description="红包")
    page: Page = Field(default_factory=Page, description="页面")
    log: Log = Field(default_factory=Log, description="日志")
    accounts: tuple[Account, ...] = Field((), description="微信账号，一个也不写就只开沙箱")
    sandbox: bool | None = Field(None, description="开不开沙箱；不写，没有账号就开，有账号就不开")
    pace: Annotated[
        Pace | None, BeforeValidator(lambda value: value or None, json_schema_input_type=Pace | Nothing)
    ] = Field(None, description="发得多快；写了这个键，沙箱也照着限")

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
