"""What targets may measure: each metric takes a run and the target's arguments, and returns one number."""

from collections.abc import Callable
from typing import Final

from analysis.metrics import credit, cycles, levels

METRICS: Final[dict[str, Callable[..., float]]] = {
    metric.__name__: metric
    for metric in (
        *(levels.growth, levels.level, levels.change, levels.ratio, levels.years_covered, levels.largest_fall, levels.lead),
        *(levels.leader_changes, levels.jump, levels.external_share, levels.channel_share, levels.channel_order),
        *(levels.vintage_rent_decline, credit.resale_value, credit.issue_spread, credit.deal_volume, credit.volume_multiple),
        *(credit.stock_ratio, cycles.spread_trough, cycles.spread_peak, cycles.spread_range, cycles.default_peak),
        *(cycles.default_normal, cycles.recovery_in_bust, cycles.recovery_shortfall, cycles.boom_loss, cycles.glut_decline),
        *(cycles.glut_acceleration, cycles.capex_fall, cycles.capex_undone, cycles.class_loss, cycles.rule_lag),
        *(cycles.closure, cycles.warning_lag),
    )
}
