"""Renders the templates of `templates/`, each with its style sheet and script beside it.

Jinja is imported when the first document is rendered: no cold start needs it.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from chalicelib.rollups.renderings import charts, narrative
from chalicelib.rollups.renderings.i18n import Localizer
from chalicelib.rollups.renderings.report_data import ReportData

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).with_name("templates")


def render(template: str, localizer: Localizer, **values: object) -> str:
    """Return the document that `template` makes of `values`. Raise UndefinedError for a name it lacks."""
    return (
        _get_environment()
        .get_template(template)
        .render(
            language=localizer.language,
            localizer=localizer,
            t=localizer.translate,
            number=localizer.format_number,
            **values,
        )
    )


def render_report(template: str, data: ReportData, localizer: Localizer, **values: object) -> str:
    """Return the document that `template` makes of a report, its sentences worded by `narrative`."""
    return render(
        template,
        localizer,
        data=data,
        campaign=data.campaign,
        version=narrative.describe_version(data, localizer),
        progress=narrative.describe_progress(data, localizer),
        remaining=narrative.describe_remaining(data, localizer),
        outlook=narrative.describe_outlook(data, localizer),
        changes=list(narrative.describe_changes(data, localizer)),
        revisions=list(narrative.describe_revisions(data, localizer)),
        anomalies=list(narrative.describe_anomalies(data, localizer)),
        **values,
    )


@cache
def read_asset(name: str) -> str:
    """Return a style sheet or a script of ours, to be put into a document as it is."""
    return (_TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _get_environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - see above

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["asset"] = read_asset
    environment.globals["cell_label"] = narrative.get_cell_label
    environment.filters["percent"] = charts.to_percent
    return environment
