"""What each demonstration is about, and which figures of it are shown: the first one is drawn."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Figure:
    name: str  # in the environment's statistics, or episode_return
    label: str
    unit: str = ""
    smaller_is_better: bool | None = True  # None: neither


@dataclasses.dataclass(frozen=True)
class Demo:
    title: str
    task: str
    figures: tuple
    labels: dict = dataclasses.field(default_factory=dict)  # of players, where a name does not say enough

    def player_label(self, name):
        return self.labels.get(
            name, {"trained": "trained agents", "random": "random play"}.get(name, name.replace("_", " "))
        )


DEMOS = {
    "retail": Demo(
        "Five warehouses",
        "Each orders from a supplier and ships to the others while demand swings with the season. A unit that is "
        "missing costs $10, one shipped $0.50, one left over $0.10 a week. A year, per warehouse.",
        (
            Figure("cost", "cost", "$"),
            Figure("stock_out_percent", "unmet demand", "%"),
            Figure("transfers", "units shipped", "", None),
            Figure("holding", "units held", "", None),
            Figure("imbalance", "imbalance", "units", None),
        ),
        {
            "base_stock": "base stock, tuned",
            "seasonal": "order-up-to by season, tuned",
            "seasonal_shipping": "by season with shipping, tuned, sees all",
        },
    ),
    "payments": Demo(
        "Three payment routers",
        "Ten times a second each sends its payments through one of three channels: internal (20 ms, risk 3 %, $0.10), "
        "external (80 ms, 2 %, $0.50), blockchain (200 ms, 1 %, $2.00). Full channels make payments wait. Targets: "
        "below 100 ms and below 5 % risk. In the return a target missed weighs as much as payments at $1 more.",
        (
            # Cost, latency and targets missed in one: the cheapest channel alone misses both targets.
            Figure("episode_return", "return", "", False),
            Figure("cost", "cost", "$"),
            Figure("latency_ms", "latency", "ms"),
            Figure("latency_violations_percent", "latency missed", "%"),
            Figure("risk_violations_percent", "risk missed", "%"),
            Figure("peak_latency_ms", "peak", "ms"),
        ),
        {
            "static_split": "best fixed split",
            "spill_over": "spill over, tuned, sees all",
            "least_loaded": "least loaded channel",
            "cheapest": "cheapest channel",
        },
    ),
    "grid": Demo(
        "Two walkers who swap corners",
        "On a 5 × 5 grid each must get to where the other began, at the same time and without bumping into each "
        "other. The optimum is known.",
        (
            Figure("episode_return", "return", "", False),
            Figure("success", "success", "", False),
            Figure("wall_hits", "walls hit"),
            Figure("collisions", "collisions"),
        ),
    ),
    "traffic": Demo(
        "Nine traffic lights",
        "An hour of traffic at nine junctions of an arterial network, 5,400 vehicles. Every player obeys the same "
        "yellow and minimum-green times.",
        (Figure("mean_waiting_seconds", "mean waiting", "s"), Figure("mean_delay_seconds", "mean delay", "s")),
    ),
}
