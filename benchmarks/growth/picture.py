"""One small picture for each figure, with the two databases in each."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.stage import ROOT

PICTURE = ROOT / "docs" / "images" / "growth.png"
COLUMNS = 4
# In English: it must not need a Chinese font.
TITLES = {
    "dispatch_us": "dispatch, µs a message",
    "message_us": "dispatch and store, µs a message",
    "chatter_us": "chatter, µs a message",
    "sign_in_per_s": "sign-ins a second",
    "sign_in_pg_per_s": "sign-ins a second, PostgreSQL",
    "grab_per_s": "winners a second",
    "slot_ms": "a slot in all groups, ms",
    "broadcast_reply_p95_s": "reply while posts go out, p95, s",
    "wechaty_per_s": "replies a second, gateway",
    "start_s": "start, s",
    "idle_mb": "memory, MB",
}


def draw(figures: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    lines = -(-len(figures) // COLUMNS)
    picture, grid = plt.subplots(
        lines, COLUMNS, figsize=(12, 2.6 * lines), layout="constrained", squeeze=False
    )
    panels = list(grid.flat)
    for panel, (name, kinds) in zip(panels, figures.items(), strict=False):
        for (kind, places), colour in zip(kinds.items(), ("#2f6f9f", "#c2571a"), strict=True):
            panel.plot(range(len(places)), places.values(), "o-", color=colour, label=f"{kind} database")
            panel.set_xticks(range(len(places)), [f"{int(groups):,}" for groups in places])
        panel.set_title(TITLES[name], fontsize=10, loc="left")
        panel.set_ylim(bottom=0)
        panel.grid(axis="y", alpha=0.3)
        panel.spines[["top", "right"]].set_visible(False)
    for panel in panels[len(figures) :]:
        panel.axis("off")
    picture.supxlabel("groups", fontsize=10)
    picture.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower right", ncols=2, frameon=False, fontsize=9
    )
    PICTURE.parent.mkdir(exist_ok=True)
    picture.savefig(PICTURE, dpi=110)
    plt.close(picture)
