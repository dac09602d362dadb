"""Lint the synthesised templates: each finding is fixed, or accepted with a reason.

`accepted.toml` holds the reasons for findings of cfn-lint, checkov and parliament. Those for
cdk-nag stand next to the constructs (`acknowledge`). Without them cdk-nag fails the synthesis.
Nothing here needs a network.

    python -m checks.static .venv/assemblies
"""

import fnmatch
import json
import os
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import parliament  # type: ignore[import-untyped]

from checks import assemblies
from tests.support.intrinsics import resolve

ACCEPTED: Final = Path(__file__).with_name("accepted.toml")

_SCRIPTS: Final = Path(sys.executable).parent
_CFN_LINT: Final = (_SCRIPTS / "cfn-lint", "--format", "json", "--")
_CHECKOV: Final = (
    *(_SCRIPTS.parent / "checkov" / "bin" / "python", "-m", "checkov.main"),
    *("--framework", "cloudformation", "--skip-download"),
    *("--compact", "--output", "json", "--file"),
)
_OFFLINE: Final = {"CKV_SKIP_PACKAGE_UPDATE_CHECK": "true"}
"""Without it checkov requests its newest version; `--skip-download` spares it the guidelines."""


@dataclass(frozen=True, order=True)
class Finding:
    """A tool's finding about a resource."""

    tool: str
    rule: str
    resource: str
    """Its type and logical id, with a dot between them."""
    message: str
    template: str

    def __str__(self) -> str:
        return f"{self.template}: {self.resource}: {self.tool} {self.rule}: {self.message}"


@dataclass(frozen=True)
class Acceptance:
    """Why a finding is none; the rule and the resources are patterns."""

    tool: str
    rule: str
    resources: str
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Return whether it is about a finding."""
        return (
            self.tool == finding.tool
            and fnmatch.fnmatchcase(finding.rule, self.rule)
            and fnmatch.fnmatchcase(finding.resource, self.resources)
        )


@dataclass(frozen=True)
class Verdict:
    """The count of accepted findings, and the problems."""

    accepted: Counter[str]
    """How many findings of each tool are accepted."""
    problems: list[str]


def judged(findings: Iterable[Finding], acceptances: Sequence[Acceptance]) -> Verdict:
    """Match findings with reasons; each finding or reason without the other is a problem."""
    accepted: Counter[str] = Counter()
    problems = []
    unneeded = list(acceptances)
    for finding in sorted(findings):
        covering = [one for one in acceptances if one.covers(finding)]
        unneeded = [one for one in unneeded if one not in covering]
        if covering:
            accepted[finding.tool] += 1
        else:
            problems.append(str(finding))
    problems += [f"{ACCEPTED.name}: nothing is found any more for {one}" for one in unneeded]
    problems += [f"{ACCEPTED.name}: no reason in {one}" for one in acceptances if not one.reason]
    return Verdict(accepted, problems)


def acceptances() -> list[Acceptance]:
    """Return the acceptances in `accepted.toml`."""
    tools = tomllib.loads(ACCEPTED.read_text())
    return [
        Acceptance(tool, **{key: " ".join(text.split()) for key, text in one.items()})
        for tool, ones in tools.items()
        for one in ones
    ]


# -- the tools -------------------------------------------------------------------------------------


def cfn_lint(templates: Sequence[Path]) -> Iterator[Finding]:
    """Return the findings of cfn-lint."""
    for one in _json_of(_CFN_LINT, templates):
        path = one["Location"]["Path"] or []
        template = Path(one["Filename"])
        named = path[1] if path[:1] == ["Resources"] else ".".join(map(str, path[:2]))
        resource = _resource(json.loads(template.read_text()), named)
        yield Finding("cfn-lint", one["Rule"]["Id"], resource, one["Message"], template.name)


def checkov(templates: Sequence[Path]) -> Iterator[Finding]:
    """Return the findings of checkov."""
    report = _json_of(_CHECKOV, templates)
    results = report["results"]
    if broken := results["parsing_errors"]:
        sys.exit(f"checkov cannot read {', '.join(broken)}")
    for one in results["failed_checks"]:
        template = Path(one["file_abs_path"]).name
        yield Finding("checkov", one["check_id"], one["resource"], one["check_name"], template)


def _json_of(command: Sequence[str | Path], templates: Sequence[Path]) -> Any:
    run = subprocess.run(  # noqa: S603  # no shell, and no command from outside
        [*command, *templates],
        env={**os.environ, **_OFFLINE},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    return json.loads(run.stdout)


def parliament_of(templates: Sequence[Path]) -> Iterator[Finding]:
    """Return the findings of parliament in the policies of identities."""
    for path in templates:
        template = json.loads(path.read_text())
        for name, document in identity_policies(template):
            resource = _resource(template, name)
            audited = parliament.analyze_policy_string(
                json.dumps(_resolved(document, template)), include_community_auditors=True
            )
            for found in audited.findings:
                for rule, detail in _rules(found.issue, found.detail):
                    yield Finding("parliament", rule, resource, detail, path.name)


def identity_policies(template: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Return the documents that are attached to identities, by the logical ids they are of."""
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            yield name, properties["PolicyDocument"]
        elif resource["Type"] == "AWS::IAM::Role":
            for policy in properties.get("Policies", ()):
                yield name, policy["PolicyDocument"]


def _rules(issue: str, detail: Any) -> Iterator[tuple[str, str]]:
    """Return one rule for each action that a finding is about, so that each has its reason."""
    for one in detail if isinstance(detail, list) else [detail]:
        action = one.get("action", "") if isinstance(one, dict) else str(one)
        yield f"{issue} {action if ':' in action else ''}".strip(), json.dumps(one)


_ARNS: Final = {
    "AWS::CodeBuild::Project": "arn:aws:codebuild:eu-west-1:111111111111:project/{}",
    "AWS::CodePipeline::Pipeline": "arn:aws:codepipeline:eu-west-1:111111111111:{}",
    "AWS::IAM::Role": "arn:aws:iam::111111111111:role/{}",
    "AWS::KMS::Key": "arn:aws:kms:eu-west-1:111111111111:key/{}",
    "AWS::Lambda::Function": "arn:aws:lambda:eu-west-1:111111111111:function:{}",
    "AWS::Logs::LogGroup": "arn:aws:logs:eu-west-1:111111111111:log-group:{}:*",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::StepFunctions::StateMachine": "arn:aws:states:eu-west-1:111111111111:stateMachine:{}",
    "Custom::RecommenderTraining": "arn:aws:personalize:eu-west-1:111111111111:recommender/{}",
}
"""The ARNs that parliament gets for resources that have none yet."""
_REF_IS_ARN: Final = ("AWS::StepFunctions::StateMachine",)
_PSEUDO: Final = {
    "AWS::AccountId": "111111111111",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::StackId": "arn:aws:cloudformation:eu-west-1:111111111111:stack/TopPicks/1",
    "AWS::StackName": "TopPicks",
    "AWS::URLSuffix": "amazonaws.com",
}


def _resolved(value: Any, template: Mapping[str, Any]) -> Any:
    def arn_or_name(name: str, attribute: str | None) -> str:
        kind = template["Resources"].get(name, {}).get("Type")
        if attribute or kind in _REF_IS_ARN:
            return _ARNS[kind].format(name)
        return _PSEUDO.get(name, name)

    return resolve(value, arn_or_name)


def _resource(template: Mapping[str, Any], name: str) -> str:
    known = template["Resources"].get(name)
    return f"{known['Type']}.{name}" if known else name


def acknowledgements(assembly: Path) -> list[tuple[str, str]]:
    """Return the rules of cdk-nag that are acknowledged, each with its reason."""
    return [
        (rule, reason)
        for path in sorted(assembly.rglob("*.metadata.json"))
        for entries in json.loads(path.read_text()).values()
        for entry in entries
        if entry["type"] == "aws:cdk:acknowledged-rules"
        for rule, reason in entry["data"].items()
    ]


def unsound(folder: Path) -> Iterator[str]:
    """Yield the problems of the assemblies themselves: a failed synthesis, too, leaves templates.

    A rule of cdk-nag that is broken is in the CDK's validation report, and in no template.
    """
    for name in assemblies.CONTEXTS:
        report = folder / name / "validation-report.json"
        if not report.exists():
            yield f"{name}: has not been synthesised"
            continue
        for plugin in json.loads(report.read_text())["pluginReports"]:
            if plugin["conclusion"] != "success":
                rules = sorted({one["ruleName"] for one in plugin["violations"]})
                yield f"{name}: {plugin['pluginName']}: {', '.join(rules) or 'failed'}"


def main(assembly: Path) -> int:
    """Lint all templates of an assembly, count the accepted findings, and return the exit code."""
    templates = sorted(assembly.rglob("*.template.json"))
    reasons = acceptances()
    findings = [*cfn_lint(templates), *checkov(templates), *parliament_of(templates)]
    verdict = judged(findings, reasons)
    nag = acknowledgements(assembly)
    problems = [*unsound(assembly), *verdict.problems]
    problems += [f"cdk-nag: no reason for {rule}" for rule, why in nag if not why]
    for problem in problems:
        print(problem)
    of_each = Counter(one.tool for one in reasons)
    print(
        f"{len(templates)} templates, {len(problems)} problems; "
        f"{verdict.accepted.total()} findings accepted, {len(nag)} acknowledged:"
    )
    for tool, count in sorted(verdict.accepted.items()):
        print(f"  {tool:10} {count:3} findings, reasons: {of_each[tool]}")
    print(f"  cdk-nag    {len(nag):3} findings, reasons: {len(set(nag))}")
    return 1 if problems or not templates else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
