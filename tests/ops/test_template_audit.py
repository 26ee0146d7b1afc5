"""Every finding of checkov in the template is answered, and no answer outlives its finding."""

from typing import Any

from infra.template import join_template
from ops.audit.template import compare, load_answers

ANSWERS = {"CKV_1": {"finding": "f", "resources": ["AWS::SQS::Queue", "ABucket"], "answer": "a"}}


def make_report(*findings: tuple[str, str]) -> dict[str, Any]:
    failed = [{"check_id": check, "resource": name, "check_name": "says why"} for check, name in findings]
    return {"results": {"failed_checks": failed}}


def test_an_answer_is_for_a_type_or_for_one_resource() -> None:
    report = make_report(("CKV_1", "AWS::SQS::Queue.Any"), ("CKV_1", "AWS::S3::Bucket.ABucket"))
    assert compare(report, ANSWERS) == []


def test_a_new_finding_is_named() -> None:
    report = make_report(
        ("CKV_1", "AWS::SQS::Queue.Any"), ("CKV_1", "AWS::S3::Bucket.Other"), ("CKV_2", "AWS::SQS::Queue.Any")
    )
    assert compare(report, ANSWERS) == ["NEW CKV_1 Other: says why", "NEW CKV_2 Any: says why"]


def test_an_answer_without_a_finding_is_named() -> None:
    assert compare(make_report(), ANSWERS) == ["no longer found: CKV_1"]


def test_every_answer_says_why_and_names_what_is_in_the_template() -> None:
    resources = join_template()["Resources"]
    known = {*resources, *(each.get("Type") for each in resources.values()), "AWS::Serverless::Function"}
    for check, each in load_answers().items():
        assert each["finding"], check
        assert len(each["answer"].split()) > 4, check
        assert set(each["resources"]) <= known, check
