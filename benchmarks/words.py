"""What stands in docs/performance.md beside each number: what it is, and what it should be."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "dispatch_us": ("派发：两万条群消息，一成是 25 个口令之一，存储打桩，每条多少微秒", "比谁都快"),
    "message_us": ("同一串消息，用真的存储，每句回复先落盘再发", "照实说"),
    "chatter_us": ("闲聊：没有谁要听的一条消息", "≤ 5"),
    "sign_in_per_s": ("签到：64 个人同时，落盘、回复、记账", "≥ 5000，异步 ORM 的 10 倍"),
    "sign_in_p99_ms": ("同上，100 次里 99 次等多久", "≤ 40"),
    "sign_in_one_group_per_s": ("都在一个群里签到", "≥ 5000"),
    "sign_in_one_group_p99_ms": ("同上，100 次里 99 次等多久", "≤ 40"),
    "sign_in_pg_per_s": ("签到，PostgreSQL", "≥ 2000，异步 ORM 的 10 倍"),
    "sign_in_pg_p99_ms": ("同上，100 次里 99 次等多久", "照实说"),
    "fsync_ms": ("这块盘落一次盘", "照实说"),
    "grab_per_s": ("抢红包：100 个群，每群 200 人抢 50 份，每秒定下多少个抢到的人", "≥ 5000"),
    "grab_told_per_s": ("同上，数到人收到话为止", "照实说"),
    "grab_one_group_per_s": ("同样的红包，在一个群里一个接一个", "照实说"),
    "grab_one_group_told_per_s": ("同上，数到人收到话为止", "照实说"),
    "slot_10k_s": ("一个时段在一万个群里同时到点，全部进发件箱", "5 倍快"),
    "broadcast_reply_p95_s": ("200 个群发帖，每分钟 40 条，同时有人签到：95% 的回复多少秒内到", "≤ 3"),
    "broadcast_messages_for_100": ("同上，一个群一分钟 100 人签到，回了几条", "≤ 25"),
    "broadcast_posts_late": ("同上，没赶上时限的帖子", "0"),
    "broadcast_quiet_min": ("200 个群发帖，每分钟 40 条，没人说话：到最后一个群要几分钟", "≤ 5"),
    "wechaty_per_s": ("4000 条消息经真的网关到回复，10 个群", "2 倍快"),
    "wechaty_out_of_order": ("同上，群里前后颠倒的回复", "0"),
    "start_s": ("`xiaoer run` 到 `ready`，数据目录已有", "≤ 3"),
    "start_fresh_s": ("同上，数据目录是新的", "≤ 3"),
    "start_full_s": ("`xiaoer run` 到 `ready`，一万个群、十万成员、百万条流水", "≤ 5"),
    "idle_mb": ("200 个群没人说话时占的内存", "≤ 200"),
    "idle_full_mb": ("一万个群、十万成员、百万条流水时占的内存", "≤ 400"),
    "soak_grown_mb": ("第 12 天之后到第 30 天，常驻内存多了多少", "≤ 3"),
    "soak_grown_blocks": ("同上，Python 的内存块多了多少", "≤ 20000"),
    "flood_others_p99_ms": ("一个群同时来一万条，别的群签到等多久", "照实说"),
}
PEERS = {
    "async ORM, a session a message": "异步 ORM 一条一会话",
    "raw sqlite3 by hand": "手写 sqlite3",
}
KINDS = {"empty": "空的", "full": "满的"}
FIGURES = {
    "dispatch_us": "派发，存储打桩，微秒一条",
    "message_us": "派发，真的存储，微秒一条",
    "chatter_us": "闲聊，微秒一条",
    "sign_in_per_s": "签到，每秒",
    "sign_in_pg_per_s": "签到，PostgreSQL，每秒",
    "grab_per_s": "抢到红包，每秒",
    "slot_ms": "一个时段在所有这些群里到点，一共多少毫秒",
    "broadcast_reply_p95_s": "发帖时的回复，95% 在多少秒内到",
    "wechaty_per_s": "经真的网关到回复，每秒",
    "start_s": "`xiaoer run` 到 `ready`，秒",
    "idle_mb": "没人说话时占的内存，MB",
}
