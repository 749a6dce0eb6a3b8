"""What all dashboards are made of: queries that know the run, panels with a unit and a description, variables.

Series of a process say nothing of its run; they are joined with the process's run_info (docs/metrics.md).
"""

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model

DATASOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
RUN = '{run=~"$run", experiment=~"$experiment"}'
UNITS = {
    "share": "percentunit",
    "seconds": "s",
    "bytes": "bytes",
    "bytes/s": "Bps",
    "rate": "ops",
    "count": "short",
    "number": "none",
}
GREEN, YELLOW, RED, BLUE = "green", "yellow", "red", "blue"


def of_run(expression, by="run"):
    """The learner's series, summed by run and what else `by` names."""
    return f"sum by ({by}) ({expression}\n  * on (job, instance) group_left (run) troupe_run_info{RUN})"


def of_workers(expression, by="run", aggregate="sum"):
    """Workers' series, aggregated by run and what else `by` names (instance, stage, le)."""
    return (
        f"{aggregate} by ({by}) ({expression}\n  * on (job, instance) group_left (run_id) troupe_worker_run_info\n"
        f"  * on (run_id) group_left (run) max by (run_id, run) (troupe_run_info{RUN}))"
    )


def rate(series):
    return f"rate({series}[$__rate_interval])"


def query(expression, legend, instant=False):
    target = prometheus.Dataquery().expr(expression).legend_format(legend).datasource(DATASOURCE)
    return target.instant() if instant else target.range()


def thresholds(*steps):
    """(colour, from this value on), the first from None."""
    return (
        dashboard.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value=value, color=color) for color, value in steps])
    )


def _dress(panel, title, description, unit, targets, width, height):
    panel.title(title).description(description).datasource(DATASOURCE).unit(UNITS.get(unit, unit)).span(width).height(
        height
    )
    for i, target in enumerate(targets):
        panel.with_target(target.ref_id(chr(ord("A") + i)))
    return panel


def graph(title, description, unit, targets, width=8, height=8, stacked=False, low=None, high=None, limits=None):
    """Lines over time; `stacked` fills the areas; `limits` are thresholds drawn as lines."""
    panel = _dress(timeseries.Panel(), title, description, unit, targets, width, height)
    panel.legend(
        common.VizLegendOptions()
        .display_mode(common_model.LegendDisplayMode.TABLE)
        .placement(common_model.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs(["mean", "lastNotNull"])
    )
    panel.tooltip(
        common.VizTooltipOptions().mode(common_model.TooltipDisplayMode.MULTI).sort(common_model.SortOrder.DESCENDING)
    )
    panel.line_width(1).fill_opacity(60 if stacked else 5).show_points(common_model.VisibilityMode.NEVER)
    if stacked:
        panel.stacking(common.StackingConfig().mode(common_model.StackingMode.NORMAL).group("A"))
    if low is not None:
        panel.min(low)
    if high is not None:
        panel.max(high)
    if limits is not None:
        panel.thresholds(limits)
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(common_model.GraphThresholdsStyleMode.DASHED))
    return panel


def figure(title, description, unit, target, limits, width=4, height=4, decimals=None, graphed=True):
    """One large number (one per run), coloured by `limits`."""
    panel = _dress(stat.Panel(), title, description, unit, [target], width, height)
    panel.thresholds(limits).color_mode(common_model.BigValueColorMode.BACKGROUND_SOLID)
    panel.graph_mode(common_model.BigValueGraphMode.AREA if graphed else common_model.BigValueGraphMode.NONE)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields(""))
    if decimals is not None:
        panel.decimals(decimals)
    return panel


def bars(title, description, unit, targets, width=8, height=8, high=None, limits=None):
    """The values of now as bars."""
    panel = _dress(bargauge.Panel(), title, description, unit, targets, width, height)
    panel.display_mode(common_model.BarGaugeDisplayMode.GRADIENT).orientation(common_model.VizOrientation.HORIZONTAL)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields("")).min(0)
    panel.thresholds(limits or thresholds((BLUE, None)))
    if high is not None:
        panel.max(high)
    return panel


def listing(title, description, target, width=8, height=8):
    """A table of the series there are now."""
    return _dress(table.Panel(), title, description, "number", [target.format("table")], width, height).transformations(
        [
            model.DataTransformerConfig(
                id_val="organize",
                options={
                    "excludeByName": {"Time": True, "Value": True, "__name__": True, "alertstate": True, "run_id": True}
                },
            )
        ]
    )


def percentiles(series, labels, join=of_run):
    """The median and the 95th percentile of a histogram, by `labels` (a list) and run."""
    legend = " ".join(f"{{{{{label}}}}}" for label in [*labels, "run"])
    by = ", ".join(["le", "run", *labels])
    return [
        query(f"histogram_quantile({q},\n {join(rate(series + '_bucket'), by)})", f"{legend} {name}")
        for q, name in ((0.5, "half"), (0.95, "95 %"))
    ]


def choice(name, label, expression, description):
    """A variable with the values of a label; any number of them, all to begin with."""
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .description(description)
        .query(expression)
        .datasource(DATASOURCE)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .current(model.VariableOption(selected=True, text="All", value="$__all"))
    )


def board(uid, title, description, variables=()):
    made = (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["troupe"])
        .refresh("5s")
        .time("now-15m", "now")
    )
    made.timezone("browser").tooltip(model.DashboardCursorSync.CROSSHAIR).readonly()
    made.with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    made.with_variable(
        choice("experiment", "Experiment", "label_values(troupe_run_info, experiment)", "Experiments that are trained")
    )
    made.with_variable(
        choice("run", "Run", 'label_values(troupe_run_info{experiment=~"$experiment"}, run)', "Run folders")
    )
    for variable in variables:
        made.with_variable(variable)
    made.link(
        dashboard.DashboardLink("Troupe")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags(["troupe"])
        .as_dropdown(False)
        .include_vars(True)
        .keep_time(True)
    )
    return made


def row(title):
    return dashboard.Row(title)
