"""The sample report is consistent, so that renderings can be compared with it."""

from tests.support.report_builders import make_report


def test_each_breakdown_adds_up_to_registered() -> None:
    summary = make_report().summary

    for group in ("by_channel", "by_client", "by_officer", "by_sex", "by_age", "by_hour", "by_received_day"):
        assert sum(getattr(summary, group).values()) == summary.counts.registered, group
    assert sum(summary.funnel.model_dump().values()) == summary.counts.created + summary.counts.reactivated
    assert sum(summary.refused_by_reason.values()) == summary.counts.refused


def test_single_fields_of_the_report_can_be_changed() -> None:
    report = make_report(campaign={"target": 0}, summary={"version": 7}, revisions=())

    assert (report.campaign.target, report.summary.version, report.revisions) == (0, 7, ())
    assert report.summary.day == make_report().summary.day
