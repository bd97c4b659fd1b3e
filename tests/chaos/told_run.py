"""A run that nobody lived through, told case by case. `correct_run.py` tells one in which all is well."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from tests.chaos.told_files import CANARY, LEVELS, NAMESPACE, Row, Written, iso
from worker.domain.audit import AuditEntry


@dataclass
class Told(Written):
    """Cases, questions, decisions and payments, each with all the rows and events that it leaves behind."""

    # A case

    def raised(self, number: int, *, needs: Sequence[str] = (), class_: str = "raised", **about: Any) -> Row:
        """An exception about an order of its own, sent and taken in; `about` are its fields."""
        order_id = f"ORD-{number}"
        self.orders.setdefault(order_id, {"captured_minor": 100_000, "currency": "USD"})
        event: Row = {"exception_id": f"EXC-{number}", "kind": "refund", "order_id": order_id, "customer_id": "CUST-1"}
        event |= {"requested_by": "agent:web-chat", "reason": CANARY, **about}
        amount = event.get("amount") or {}
        told: Row = {name: event.get(name) for name in ("exception_id", "kind", "order_id", "requested_by")}
        told |= {"amount_minor": amount.get("amount_minor"), "currency": amount.get("currency"), "needs": list(needs)}
        told |= {"quorum": {level: LEVELS[level]["quorum"] for level in needs}, "class": class_}
        place = self.send("traffic", "order-exceptions", json.dumps(event).encode(), told)
        self.take_in(place, "signoff.exception.raised.v1", event, event["exception_id"])
        return event

    def opened(self, event: Row, *, state: str = "executing", automatic: bool = True) -> Row:
        case: Row = {
            "case_id": str(uuid5(NAMESPACE, event["exception_id"])),
            **{name: event.get(name) for name in ("exception_id", "order_id", "customer_id", "kind")},
            "state": "opened",
            "version": 0,
            **(event.get("amount") or {"amount_minor": None, "currency": None}),
            "opened_at": iso(self.now),
            "finished_at": None,
            "body": {
                "facts": {"exception": event, "round": 1},
                "automatic": automatic,
                "audit_head": "",
                "reason": "",
            },
        }
        self.first.tables["cases"].append(case)
        self.step(case, state, "system" if automatic else event["requested_by"], "opened")
        return case

    def step(self, case: Row, state: str, actor: str, action: str, **detail: Any) -> None:
        """The case's next version, with its audit entry as the worker seals it."""
        case["version"] += 1
        entry = AuditEntry(
            case_id=UUID(case["case_id"]),
            number=case["version"],
            at=datetime.fromtimestamp(self.tick(), UTC),
            actor=actor,
            action=action,
            from_state=case["state"],
            to_state=state,
            detail={"policy": "1", **detail},
            previous_hash=case["body"]["audit_head"],
        ).sealed()
        self.first.tables["audit"].append(entry.model_dump(mode="json"))
        case["state"], case["body"]["audit_head"] = state, entry.hash

    def asked(self, case: Row, level: str, proposal: Row | None = None, *, due_s: float = 3600, **more: Any) -> Row:
        """A question about the case, which must just have come to wait."""
        approval_id = str(uuid5(NAMESPACE, f"approval {self.number('approvals')}"))
        event, round_ = case["body"]["facts"]["exception"], case["body"]["facts"]["round"]
        proposal = proposal or {"action": event["kind"], "amount": event.get("amount"), "method": "original_method"}
        question: Row = {"level": {"name": level, "number": 1, "of": 1}, "round": round_, "proposal": proposal}
        question |= {"allowed_verdicts": ["approve", "reject", "modify", "choose", "escalate"], "alternatives": []}
        row: Row = {"approval_id": approval_id, "case_id": case["case_id"], "exception_id": case["exception_id"]}
        row |= {"case_version": case["version"], "due_at": iso(self.now + due_s), "closed_at": None}
        row |= {"available_at": iso(self.now + due_s), "body": {"question": question, "role": LEVELS[level]["role"]}}
        self.first.tables["approvals"].append(row)
        said = {**question, "approval_id": approval_id, "case_id": case["case_id"], "quorum": LEVELS[level]["quorum"]}
        said |= {"exception_id": case["exception_id"], "requested_by": event["requested_by"], "due_at": row["due_at"]}
        said["requested_at"] = iso(self.now)
        said |= {"role": row["body"]["role"], "review_hash": f"seal of {approval_id}", **more}
        self.publish("approvals", "signoff.approval.needed.v1", said, case["case_id"])
        return row

    def closed(self, approval: Row, as_: str, by: str) -> None:
        approval["closed_at"] = iso(self.now)
        approval["body"] |= {"closed_as": as_, "closed_by": by}
        said = {name: approval[name] for name in ("approval_id", "case_id", "exception_id")}
        said |= {"change": "closed", "by": by, "at": approval["closed_at"], "reason": as_}
        self.publish("approvals", "signoff.approval.updated.v1", said, approval["case_id"])

    def decided(
        self,
        approval: Row,
        verdict: str,
        reviewer: str,
        code: str = "ACCEPTED",
        *,
        party: str = "people",
        class_: str = "valid",
        **more: Any,
    ) -> Row:
        """A decision: sent, taken in, on record, and answered. The case does not move by it."""
        decision_id = f"D-{self.number('decisions')}"
        said: Row = {"decision_id": decision_id, "approval_id": approval["approval_id"], "verdict": verdict}
        said |= {"reviewer": {"id": reviewer, "roles": []}, **more}
        told: Row = {"decision_id": decision_id, "approval_id": approval["approval_id"], "class": class_}
        told |= {"hostile": party == "adversary", "verdict": verdict, "reviewer": reviewer}
        place = self.send(party, "review-decisions", json.dumps(said).encode(), told)
        self.take_in(place, "signoff.review.decided.v1", said, approval["approval_id"])
        receipt = self.answered(said, approval, code)
        row: Row = {"decision_id": decision_id, "approval_id": approval["approval_id"], "case_id": approval["case_id"]}
        row |= {"reviewer": reviewer, "reviewer_key": reviewer.lower(), "verdict": verdict, "command": None}
        row |= {"amount_minor": None, "currency": None}
        row |= {"code": code, "body": said, "receipt": receipt, "received_at": iso(self.tick())}
        self.first.tables["decisions"].append(row)
        return row

    def answered(self, said: Row, approval: Row, code: str) -> Row:
        receipt: Row = {"decision_id": said["decision_id"], "approval_id": approval["approval_id"], "code": code}
        receipt |= {"case_id": approval["case_id"], "accepted": code in ("ACCEPTED", "RECORDED"), "message": "so it is"}
        self.publish("decision-receipts", "signoff.review.receipt.v1", receipt, approval["case_id"])
        return receipt

    def intends(self, case: Row, content: Row) -> Row:
        key = f"signoff:{case['case_id']}:{case['body']['facts']['round']}"
        row: Row = {"idempotency_key": key, "case_id": case["case_id"], "state": "pending", "attempts": 0, "takes": 0}
        row |= {"reference": None, "problem": None, "body": content, "created_at": iso(self.now)}
        row |= {"finished_at": None, "available_at": iso(self.now)}
        self.first.tables["intents"].append(row)
        return row

    def paid(self, case: Row, amount: Row) -> Row:
        """The intent, and the money that moved under it."""
        intent = self.intends(case, {"type": "payment", "amount": amount, "method": "original_method"})
        case |= amount
        self.tick()
        line = self._of_payment(case, intent, amount)
        reference = f"pay-{self.number('payments')}"
        self.payments.append({**line, "event": "asked", "at": self.tick(), "fault": "timeout-after"})
        self.payments.append({**line, "event": "moved", "at": self.tick(), "reference": reference, "fault": None})
        intent |= {"state": "succeeded", "reference": reference, "finished_at": iso(self.tick())}
        self.first.tables["order_balances"].append(
            {
                "order_id": case["order_id"],
                "currency": amount["currency"],
                "captured_minor": 100_000,
                "refunded_minor": amount["amount_minor"],
            }
        )
        detail = {"idempotency_key": intent["idempotency_key"], "reference": reference}
        self.ended(case, "executed", "paid", amount=amount, payment_reference=reference, detail=detail)
        return intent

    def declined(self, case: Row, amount: Row) -> Row:
        intent = self.intends(case, {"type": "payment", "amount": amount})
        line = self._of_payment(case, intent, amount)
        self.payments.append({**line, "event": "refused", "at": self.tick(), "fault": "declined"})
        intent |= {"state": "failed", "problem": "declined", "finished_at": iso(self.tick())}
        return intent

    def _of_payment(self, case: Row, intent: Row, amount: Row) -> Row:
        line: Row = {
            "idempotency_key": intent["idempotency_key"],
            "order_id": case["order_id"],
            "case_id": case["case_id"],
        }
        line |= {"amount": amount["amount_minor"], "currency": amount["currency"], "method": "original_method"}
        return {**line, "status": "succeeded", "reference": ""}

    def ran(self, case: Row, intent: Row, id_: str, name: str, args: Mapping[str, Any]) -> Row:
        key = f"{intent['idempotency_key']}:{id_}"
        line: Row = {"at": self.tick(), "idempotency_key": key, "case_id": case["case_id"], "name": name, "args": args}
        self.effects.append(line)
        return line

    def ended(self, case: Row, state: str, action: str, *, detail: Row | None = None, **told: Any) -> Row:
        """The case's last step and its outcome."""
        self.step(case, state, "system", action, **(detail or {}))
        case["finished_at"] = iso(self.now)
        said: Row = {name: case[name] for name in ("case_id", "exception_id", "order_id", "kind")}
        said |= {"status": state, "automatic": case["body"]["automatic"], "amount": None, "method": None}
        said |= {"payment_reference": None, "reason": None, "decided_by": [], "results": None}
        if told.get("amount"):
            said["method"] = "original_method"
        return self.publish("order-outcomes", "signoff.resolution.outcome.v1", {**said, **told}, case["case_id"])
