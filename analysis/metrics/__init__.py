"""What targets and statements may measure: each metric takes a run and arguments, and returns one number, or one to be pooled."""

from collections.abc import Callable
from typing import Final

from analysis.metrics import booms, credit, cycles, exact, letters, levels, relations, shapes
from analysis.metrics.pooled import Pooled

METRICS: Final[dict[str, Callable[..., float | Pooled]]] = {
    metric.__name__: metric
    for metric in (
        *(levels.growth, levels.level, levels.change, levels.ratio, levels.years_covered, levels.largest_fall, levels.lead),
        *(levels.leader_changes, levels.jump, levels.external_share, levels.channel_share, levels.channel_order),
        *(levels.vintage_rent_decline, credit.resale_value, credit.issue_spread, credit.deal_volume, credit.volume_multiple),
        *(credit.stock_ratio, cycles.spread_trough, cycles.spread_peak, cycles.spread_range, cycles.default_peak),
        *(cycles.default_normal, cycles.recovery_in_bust, cycles.recovery_shortfall, cycles.boom_loss, cycles.glut_decline),
        *(cycles.glut_acceleration, cycles.capex_fall, cycles.capex_undone, cycles.class_loss, cycles.rule_lag),
        *(relations.slope_ahead, relations.r2_ahead, relations.t_ahead, relations.below_zero_ahead, relations.moves_with),
        *(relations.sentiment_slope, relations.response, relations.trough_month, relations.default_recovery_correlation),
        *(relations.mean_recovery, shapes.deviation, shapes.skewness, shapes.percentile, shapes.mean_level, shapes.a_decade),
        *(shapes.persistence, shapes.cycle, booms.bust_chance, booms.bust_odds, booms.boom_busts, booms.price_fall),
        *(booms.failure_multiple, letters.granting_slope, letters.downgrade_clustering, letters.downgrade_delay),
        *(exact.linear_period, exact.book_above_market),
        *(cycles.closure, cycles.warning_lag),
    )
}
