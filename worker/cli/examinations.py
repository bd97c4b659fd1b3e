"""What the doctor looks at: each look gives findings and never raises."""

from dataclasses import dataclass

from schemas.catalogue import TOPICS
from worker.adapters.kafka.topics import missing_topics
from worker.adapters.policy.loading import load_policy
from worker.adapters.policy.problems import PolicyError
from worker.adapters.postgres.health import Suspicion, missing_checkpoint_tables, suspicions
from worker.adapters.postgres.migrator import missing_migrations
from worker.cli.database import connected
from worker.cli.failure import Failure
from worker.cli.named_failures import database_address, named_failures, patiently
from worker.settings import Settings

MIGRATE = "run `signoff migrate`"
A_WORKER = "see that a worker runs (`signoff run`) and what its log says"


@dataclass(frozen=True, slots=True)
class Finding:
    """`mend` says how, when it is not in order."""

    check: str
    ok: bool
    says: str
    mend: str = ""


def examine_policy(settings: Settings) -> Finding:
    file = str(settings.policy_file or "the default policy")
    try:
        policy = load_policy(settings.policy_file)
    except PolicyError as error:
        return Finding("policy", ok=False, says=str(error), mend="correct the file; docs/policy.md describes it")
    return Finding("policy", ok=True, says=f"{file}: {policy.reference.name}, version {policy.reference.version}")


async def examine_kafka(settings: Settings) -> list[Finding]:
    servers = settings.kafka_bootstrap_servers
    try:
        with named_failures(settings):
            async with patiently():
                missing = await missing_topics(servers, settings.topic_prefix)
    except Failure as failure:
        return [_unusable("kafka", failure)]
    findings = [Finding("kafka", ok=True, says=f"answers at {servers}")]
    if missing:
        return [*findings, Finding("topics", ok=False, says=f"missing: {', '.join(missing)}", mend=MIGRATE)]
    prefix = f", each behind the prefix {settings.topic_prefix}" if settings.topic_prefix else ""
    return [*findings, Finding("topics", ok=True, says=f"all {len(TOPICS)} are there{prefix}")]


async def examine_database(settings: Settings) -> list[Finding]:
    """Stops at the first thing without which the next cannot be asked."""
    findings: list[Finding] = []
    try:
        with named_failures(settings):
            async with connected(settings) as connection:
                findings.append(in_order("database", f"answers at {database_address(settings.database_url)}"))
                missing = await missing_migrations(connection)
                findings.append(_there("migrations", missing))
                tables = await missing_checkpoint_tables(connection)
                findings.append(_there("langgraph tables", tables))
                if not missing:
                    findings += [_judge(one) for one in await suspicions(connection)]
    except Failure as failure:
        findings.append(_unusable("database", failure))
    return findings


def _unusable(check: str, failure: Failure) -> Finding:
    says, _, mend = str(failure).partition("; ")
    return Finding(check, ok=False, says=says, mend=mend)


def in_order(check: str, says: str) -> Finding:
    return Finding(check, ok=True, says=says)


def _there(check: str, missing: list[str]) -> Finding:
    if missing:
        return Finding(check, ok=False, says=f"missing: {', '.join(missing)}", mend=MIGRATE)
    return in_order(check, "complete")


_JUDGED = {
    "stuck_cases": (
        "stuck cases",
        "{count} cases ended with neither a question nor an answer, {example} among them",
        "`signoff cases list --state stuck` says why each is; `signoff cases recover ID` asks a person anew",
    ),
    "overdue_approvals": (
        "deadlines",
        "{count} approval requests are past their deadline and still open, that of {example} among them",
        A_WORKER,
    ),
    "unknown_intents": (
        "payments",
        "{count} payments have an unknown result, that of case {example} among them",
        "`signoff cases show` the case; the worker looks each up again, and the payment provider knows",
    ),
    "abandoned_intents": (
        "unpaid approvals",
        "{count} approved payments are taken up by nobody, that of case {example} among them",
        A_WORKER,
    ),
    "abandoned_messages": (
        "inbox",
        "{count} messages wait longer than a minute to be taken up, one about {example} among them",
        A_WORKER,
    ),
    "failing_messages": (
        "retries",
        "{count} messages failed and are tried again, one for this reason: {example}",
        "see the worker's log; what fails too often becomes a dead letter",
    ),
    "unsent_events": (
        "outbox",
        "{count} events wait longer than a minute to be published, the oldest since {example}",
        "see that a worker runs (`signoff run`) and that it reaches Kafka",
    ),
    "disabled_endpoints": (
        "notification endpoints",
        "{count} are disabled, and what is for them is held: {example}",
        "mend each, then `signoff notifications enable NAME`",
    ),
    "failed_notifications": (
        "notifications",
        "{count} were given up, one for {example} among them",
        "`signoff notifications list --state failed` says why; `signoff notifications retry` sends them again",
    ),
    "waiting_notifications": (
        "waiting notifications",
        "{count} wait longer than a minute to be sent, one for {example} among them",
        "see that a worker runs (`signoff run`) whose SIGNOFF_NOTIFICATIONS_FILE names that endpoint",
    ),
}


def _judge(suspicion: Suspicion) -> Finding:
    check, says, mend = _JUDGED[suspicion.question]
    if suspicion.count == 0:
        return in_order(check, "nothing looks wrong")
    return Finding(check, ok=False, says=says.format(count=suspicion.count, example=suspicion.example), mend=mend)
