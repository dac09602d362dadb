import json
from pathlib import Path
from typing import Any

import pytest

from checks import assemblies, static
from checks.static import Acceptance, Finding, judged

FINDING = Finding("checkov", "CKV_1", "AWS::S3::Bucket.Films", "is open", "a.template.json")
REASON = Acceptance("checkov", "CKV_1", "AWS::S3::Bucket.*", "it is for everybody")


def test_a_finding_with_a_reason_is_accepted_and_counted() -> None:
    verdict = judged([FINDING, FINDING], [REASON])

    assert verdict.accepted == {"checkov": 2}
    assert not verdict.problems


@pytest.mark.parametrize(
    "other",
    [
        Finding("cfn-lint", "CKV_1", "AWS::S3::Bucket.Films", "is open", "a.template.json"),
        Finding("checkov", "CKV_10", "AWS::S3::Bucket.Films", "is open", "a.template.json"),
        Finding("checkov", "CKV_1", "AWS::SQS::Queue.Films", "is open", "a.template.json"),
    ],
)
def test_a_finding_without_a_reason_is_a_problem(other: Finding) -> None:
    assert judged([FINDING, other], [REASON]).problems == [str(other)]


def test_a_reason_without_a_finding_is_a_problem() -> None:
    (problem,) = judged([], [REASON]).problems

    assert "nothing is found any more" in problem


def test_a_reason_has_to_be_given() -> None:
    (problem,) = judged([FINDING], [Acceptance("checkov", "CKV_1", "*", "")]).problems

    assert "no reason" in problem


@pytest.mark.rows("S7")
def test_every_acceptance_says_why() -> None:
    assert all(len(one.reason.split()) > 8 for one in static.acceptances())


def template(folder: Path, statement: dict[str, Any], **other: Any) -> Path:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
    role = {"AssumeRolePolicyDocument": {}, "Policies": [{"PolicyDocument": document}]}
    resources = {"Role": {"Type": "AWS::IAM::Role", "Properties": role}, **other}
    path = folder / "one.template.json"
    path.write_text(json.dumps({"Resources": resources}))
    return path


@pytest.mark.rows("S7")
@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ({"Action": "iam:PutUserPolicy", "Resource": "*"}, "PRIVILEGE_ESCALATION"),
        ({"Action": "personalize:DeleteRecommender", "Resource": "*"}, "RESOURCE_STAR"),
        ({"Action": "personalize:DeleteRecommenders", "Resource": "*"}, "UNKNOWN_ACTION"),
        ({"Action": "personalize:DeleteRecommender", "Resource": "films"}, "INVALID_ARN"),
        (
            {"Action": "lambda:InvokeFunction", "Resource": {"Fn::GetAtt": ["Group", "Arn"]}},
            "RESOURCE_MISMATCH lambda:InvokeFunction",
        ),
        ({"Action": "iam:PassRole", "Resource": "*"}, "RESOURCE_STAR"),
    ],
)
def test_a_policy_that_allows_too_much_or_nothing_is_found(
    tmp_path: Path, statement: dict[str, Any], rule: str
) -> None:
    group = {"Type": "AWS::Logs::LogGroup"}

    found = list(static.parliament_of([template(tmp_path, statement, Group=group)]))

    assert any(one.rule.startswith(rule) for one in found), found


DOCUMENT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "personalize:DeleteRecommender", "Resource": "*"}],
}


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("AWS::IAM::Policy", {"PolicyDocument": DOCUMENT}),
        ("AWS::IAM::ManagedPolicy", {"PolicyDocument": DOCUMENT}),
        ("AWS::IAM::Role", {"Policies": [{"PolicyDocument": DOCUMENT}]}),
    ],
)
def test_policies_are_looked_at_wherever_they_are(
    tmp_path: Path, kind: str, properties: dict[str, Any]
) -> None:
    path = tmp_path / "one.template.json"
    path.write_text(json.dumps({"Resources": {"Open": {"Type": kind, "Properties": properties}}}))

    found = list(static.parliament_of([path]))

    assert [(one.rule, one.resource, one.template) for one in found] == [
        ("RESOURCE_STAR personalize:DeleteRecommender", f"{kind}.Open", "one.template.json")
    ]


def test_a_narrow_policy_is_not_found_wanting(tmp_path: Path) -> None:
    function = {"Type": "AWS::Lambda::Function"}
    arns = [
        {"Fn::GetAtt": ["Films", "Arn"]},
        {"Fn::Join": ["", [{"Fn::GetAtt": ["Films", "Arn"]}, ":*"]]},
    ]
    path = template(tmp_path, {"Action": "lambda:InvokeFunction", "Resource": arns}, Films=function)

    assert not list(static.parliament_of([path]))


def synthesised(folder: Path, **conclusions: str) -> Path:
    """Write the validation reports of all assemblies, with other conclusions where one is given."""
    for name in assemblies.CONTEXTS:
        conclusion = conclusions.get(name, "success")
        broken = [{"ruleName": "AwsSolutions-S1"}] if conclusion == "failure" else []
        plugin = {"pluginName": "AwsSolutions", "conclusion": conclusion, "violations": broken}
        report = folder / name / "validation-report.json"
        report.parent.mkdir()
        report.write_text(json.dumps({"pluginReports": [plugin]}))
    return folder


def acknowledge(folder: Path, reason: str) -> None:
    """Write a template, and an acknowledged finding of cdk-nag about it."""
    template(folder, {"Action": "sqs:SendMessage", "Resource": "*"})
    entry = {"type": "aws:cdk:acknowledged-rules", "data": {"AwsSolutions-IAM5": reason}}
    (folder / "TopPicks.metadata.json").write_text(json.dumps({"/TopPicks": [entry]}))


@pytest.fixture
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for tool in ("cfn_lint", "checkov", "parliament_of", "acceptances"):
        monkeypatch.setattr(static, tool, lambda *_: [])


@pytest.mark.usefixtures("_clean")
@pytest.mark.parametrize("which", sorted(assemblies.CONTEXTS))
def test_a_rule_that_failed_the_synthesis_is_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], which: str
) -> None:
    template(tmp_path, {"Action": "sqs:SendMessage", "Resource": "*"})

    assert static.main(synthesised(tmp_path, **{which: "failure"})) == 1
    assert f"{which}: AwsSolutions: AwsSolutions-S1\n" in capsys.readouterr().out


@pytest.mark.usefixtures("_clean")
@pytest.mark.parametrize("which", sorted(assemblies.CONTEXTS))
def test_an_assembly_that_was_not_synthesised_is_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], which: str
) -> None:
    template(tmp_path, {"Action": "sqs:SendMessage", "Resource": "*"})
    (synthesised(tmp_path) / which / "validation-report.json").unlink()

    assert static.main(tmp_path) == 1
    assert f"{which}: has not been synthesised\n" in capsys.readouterr().out


@pytest.mark.parametrize(("findings", "code"), [([FINDING] * 2, 0), ([], 1)])
def test_what_is_accepted_and_acknowledged_is_counted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    findings: list[Finding],
    code: int,
) -> None:
    acknowledge(tmp_path, "because")
    found = {"cfn_lint": [], "checkov": findings, "parliament_of": []}
    for tool, its_findings in found.items():
        monkeypatch.setattr(static, tool, lambda _, some=its_findings: some)
    monkeypatch.setattr(static, "acceptances", lambda: [REASON])

    assert static.main(synthesised(tmp_path)) == code
    count = f"1 templates, {code} problems; {len(findings)} findings accepted, 1 acknowledged:"
    assert count in capsys.readouterr().out


def test_each_action_that_a_finding_is_about_needs_its_own_reason() -> None:
    found = static._rules("RESOURCE_STAR", ["s3:GetObject", {"action": "sqs:SendMessage"}, "x"])

    assert [rule for rule, _ in found] == [
        "RESOURCE_STAR s3:GetObject",
        "RESOURCE_STAR sqs:SendMessage",
        "RESOURCE_STAR",
    ]


@pytest.mark.usefixtures("_clean")
def test_an_assembly_without_templates_is_not_in_order(tmp_path: Path) -> None:
    assert static.main(synthesised(tmp_path)) == 1


@pytest.mark.usefixtures("_clean")
def test_an_acknowledgement_without_a_reason_is_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    acknowledge(tmp_path, "")

    assert static.main(synthesised(tmp_path)) == 1
    assert "cdk-nag: no reason for AwsSolutions-IAM5" in capsys.readouterr().out


def test_a_template_that_checkov_cannot_read_ends_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = {"results": {"parsing_errors": ["one.template.json"], "failed_checks": []}}
    monkeypatch.setattr(static, "_json_of", lambda *_: report)

    with pytest.raises(SystemExit, match="checkov cannot read one"):
        list(static.checkov([tmp_path / "one.template.json"]))
