"""The `actions` of a policy: which tool calls wait, for whom, and what their arguments must look like."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.values import Action, ExceptionKind, Risk
from tests.builders import an_exception, some_facts
from tests.commands import signoff
from tests.unit.policy_files import a_file, a_level, a_policy, a_rule, chain
from worker.adapters.policy.explanation import explain
from worker.adapters.policy.loading import load_policy, parse_policy
from worker.adapters.policy.problems import PolicyError
from worker.domain.approval_policy import ApprovalPolicy
from worker.domain.order_exception import Facts, Feedback
from worker.domain.resolution import propose

POLICIES = Path(__file__).parents[1] / "acceptance" / "policies"

MANAGER, MARKETING, DBA = a_level("manager"), a_level("marketing"), a_level("dba")
ACTIONS = """\
actions:
  search_orders: {signature: none}
  send_email:
    level: marketing
    risk: medium
    args_schema:
      type: object
      required: [to]
      properties: {to: {type: string}, copies: {type: integer, maximum: 3}}
      additionalProperties: false
  run_sql: {levels: [dba, manager], risk: high}"""
ONLY_ACTIONS = (a_rule("level: manager", when="exception.reason_code == 'odd'", id_="odd-reason"),)


def the_policy(actions: str = ACTIONS, rules: tuple[str, ...] = ONLY_ACTIONS) -> ApprovalPolicy:
    return a_policy(MANAGER, MARKETING, DBA, rules=rules, top=(actions,))


POLICY = the_policy()


def asked_for(*names: str, **fields: Any) -> Facts:
    actions = tuple(Action(name=name) for name in names)
    asked = an_exception(kind=ExceptionKind.ACTION_REQUEST, order_id=None, actions=actions, **fields)
    return some_facts(asked.model_copy(update={"amount": None}))


def why(facts: Facts, policy: ApprovalPolicy = POLICY) -> dict[str, str]:
    return {fired.rule: fired.says for fired in policy.judge(facts).why}


def problems_of(actions: str) -> list[tuple[int, str]]:
    """The line within the section, from 1, and the message of each problem."""
    content = a_file(MANAGER, MARKETING, DBA, top=(actions,))
    before = content[: content.index(actions)].count("\n")
    with pytest.raises(PolicyError) as refused:
        parse_policy(content.encode(), "shop.yaml")
    return [(found.line - before, f"{found.reason}; {found.advice}") for found in refused.value.problems]


class TestWhoSigns:
    def test_an_action_without_a_signature_goes_on_by_itself(self) -> None:
        assert chain(POLICY, asked_for("search_orders", "search_orders")) == []

    def test_a_sensitive_one_is_signed_by_its_levels_in_the_order_of_the_file(self) -> None:
        assert chain(POLICY, asked_for("send_email")) == ["marketing"]
        assert chain(POLICY, asked_for("run_sql")) == ["manager", "dba"]
        assert POLICY.judge(asked_for("run_sql")).risk is Risk.HIGH

    def test_its_reviewers_read_who_asks_for_what_and_how_often(self) -> None:
        assert why(asked_for("send_email", "run_sql", "send_email")) == {
            "action-send-email": "agent:web-chat asks to run send_email, 2 times",
            "action-run-sql": "agent:web-chat asks to run run_sql",
        }

    def test_only_the_sensitive_actions_of_a_request_wait(self) -> None:
        required = POLICY.judge(asked_for("search_orders", "send_email"))
        assert [level.name for level in required.chain] == ["marketing"]
        assert required.per_action
        assert POLICY.actions["search_orders"].passes
        assert not POLICY.actions["send_email"].passes

    def test_a_rule_about_the_whole_request_holds_back_all_its_actions(self) -> None:
        required = POLICY.judge(asked_for("search_orders", "send_email", reason_code="odd"))
        assert [level.name for level in required.chain] == ["manager", "marketing"]
        assert not required.per_action

    def test_ceilings_and_ladders_count_as_for_any_rule(self) -> None:
        upwards = a_level("manager", "escalates_to: director", on_timeout="escalate")
        policy = a_policy(upwards, a_level("director"), top=("actions: {buy_stock: {level: director, risk: high}}",))
        assert chain(policy, asked_for("buy_stock")) == ["director"]

    def test_a_level_that_only_an_action_names_is_used(self) -> None:
        assert [level.name for level in POLICY.judge(asked_for("run_sql")).chain][-1] == "dba"
        with pytest.raises(PolicyError, match="level dba is never asked"):
            a_policy(MANAGER, DBA, top=("actions: {run_sql: {level: manager, risk: high}}",))


class TestActionsThatThePolicyDoesNotName:
    def test_they_want_a_signature_of_the_first_level(self) -> None:
        assert chain(POLICY, asked_for("wire_money")) == ["manager"]
        assert why(asked_for("wire_money", "search_orders")) == {
            "action-request": "agent:web-chat asks to run wire_money, which the policy does not name"
        }

    def test_those_that_want_none_pass_beside_them(self) -> None:
        assert POLICY.judge(asked_for("wire_money", "search_orders")).per_action

    def test_they_are_left_to_whom_another_rule_asks_about_the_whole_request(self) -> None:
        rules = (a_rule("level: dba", when="exception.actions.exists(name, name == 'wire_money')", id_="moves-money"),)
        assert chain(the_policy(rules=rules), asked_for("wire_money")) == ["dba"]

    def test_the_reviewers_of_another_action_are_not_enough_for_them(self) -> None:
        facts = asked_for("send_email", "wire_money")
        assert chain(POLICY, facts) == ["manager", "marketing"]
        assert why(facts)["action-not-named"] == (
            "agent:web-chat asks to run wire_money, which the policy does not name"
        )
        assert POLICY.judge(facts).per_action

    def test_a_request_without_any_action_asks_somebody(self) -> None:
        assert why(asked_for()) == {"action-request": "agent:web-chat asks to run an unnamed action"}

    def test_another_kind_does_not_smuggle_them_in(self) -> None:
        asked = an_exception(kind=ExceptionKind.ACCOUNT_CHANGE, changes={"email": "x"})
        assert chain(POLICY, some_facts(asked)) == []
        smuggled = asked.model_copy(update={"actions": (Action(name="wire_money"),)})
        assert chain(POLICY, some_facts(smuggled)) == ["manager"]

    def test_names_that_an_agent_made_up_are_cut_short(self) -> None:
        (says,) = why(asked_for(*(f"{number}-{'x' * 150}" for number in range(50)))).values()
        assert len(says) < 170


class TestALaterRound:
    def test_it_is_about_the_actions_that_are_left(self) -> None:
        facts = asked_for("send_email", "run_sql")
        left = facts.model_copy(update={"remaining": (Action(name="send_email"),)})
        assert chain(POLICY, left) == ["marketing"]

    def test_conditions_look_at_those_as_well(self) -> None:
        rules = (a_rule("level: dba", when="exception.actions.exists(name, name == 'run_sql')", id_="touches-data"),)
        policy = the_policy("actions: {run_sql: {level: marketing, risk: low}}", rules)
        facts = asked_for("send_email", "run_sql")
        assert "touches-data" in why(facts, policy)
        left = facts.model_copy(update={"remaining": (Action(name="send_email"),)})
        assert "touches-data" not in why(left, policy)

    def test_one_that_failed_asks_somebody_although_it_wants_no_signature(self) -> None:
        left = asked_for("search_orders").model_copy(
            update={"remaining": (Action(name="search_orders"),), "failure": "the shop did not answer"}
        )
        assert chain(POLICY, left) == ["manager"]
        assert not POLICY.judge(left).per_action

    def test_a_reviewers_request_for_changes_goes_to_the_reviewers_of_the_action(self) -> None:
        facts = asked_for("send_email")
        comment = Feedback(
            round=1, level="marketing", reviewer="user:ann", at="2026-01-01T00:00:00Z", comment="shorter",
            proposal=propose(facts),
        )  # fmt: skip
        assert chain(POLICY, facts.model_copy(update={"feedback": (comment,), "round": 2})) == ["marketing"]


class TestTheIdsOfTheRules:
    @pytest.mark.parametrize(
        ("name", "id_"),
        [
            ("send_email", "action-send-email"),
            ("sendEmail", "action-send-email"),
            ("shop.orders/Search", "action-shop-orders-search"),
            ("mail 2", "action-mail-2"),
            ("Überweisung", "action-berweisung"),
            ("発注", "action"),
            ("request", "action-request-2"),
        ],
    )
    def test_they_are_the_names_in_kebab_case(self, name: str, id_: str) -> None:
        policy = the_policy(f"actions: {{{name}: {{levels: [dba, marketing], risk: low}}}}")
        (rule,) = (rule for rule in policy.rules if rule.id.startswith("action") and not rule.built_in)
        assert rule.id == id_
        assert rule.when == f'"{name}" in exception.actions'

    def test_names_that_come_out_alike_are_numbered(self) -> None:
        entry = "{levels: [dba, marketing], risk: low}"
        policy = the_policy(f"actions: {{send_email: {entry}, sendEmail: {entry}, SEND-EMAIL: {entry}}}")
        ids = [rule.id for rule in policy.rules if rule.id.startswith("action-send")]
        assert ids == ["action-send-email", "action-send-email-2", "action-send-email-3"]

    def test_a_rule_of_the_file_may_not_have_the_id_of_one(self) -> None:
        with pytest.raises(PolicyError, match="rule action-send-email has the id of the rule that asks for signatures"):
            the_policy(rules=(a_rule("level: manager", id_="action-send-email"),))


REFUSED = {
    "no mapping": ("actions: send_email", 1, "`actions` is not a mapping"),
    "no action": ("actions: {}", 1, "`actions` names no action; add one, or remove `actions`"),
    "nothing said": ("actions:\n  a: {}", 2, "action a has neither `level` nor `levels`"),
    "no risk": ("actions:\n  a: {level: manager}", 2, "action a has no `risk`; add `risk: …`"),
    "unknown level": ("actions:\n  a: {level: manger, risk: low}", 2, "level `manger`; did you mean manager?"),
    "unknown risk": ("actions:\n  a: {level: manager, risk: tiny}", 2, "action a has an unknown risk `tiny`"),
    "unknown key": ("actions:\n  a: {levle: manager}", 2, "unknown key `levle`; did you mean level?"),
    "unknown signature": ("actions:\n  a: {signature: no one}", 2, "`signature` of action a is `no one`; write none"),
    "both": (
        "actions:\n  a:\n    signature: none\n    level: manager",
        4,
        "action a has both `signature` and `level`; keep `signature: none` alone, or say who signs",
    ),
    "twice": ("actions:\n  a: {signature: none}\n  a: {signature: none}", 3, "has `a` twice, first on line"),
    "endless name": (f"actions:\n  {'a' * 121}{'b' * 80}: {{signature: none}}", 2, "a name of more than 200"),
}  # fmt: skip


@pytest.mark.parametrize(("actions", "line", "message"), REFUSED.values(), ids=REFUSED)
def test_terms_that_are_none_are_refused_with_their_line(actions: str, line: int, message: str) -> None:
    told = problems_of(actions)
    assert any(place == line and message in said for place, said in told), told


class TestTheVersion:
    def test_a_policy_without_actions_keeps_the_one_it_had(self) -> None:
        assert a_policy(a_level("manager")).reference.version == "9e9d73e49315a37d"

    def test_the_order_of_actions_levels_and_keys_of_a_schema_leaves_it_as_it_is(self) -> None:
        schema = "{type: object, title: A}", "{title: A, type: object}"
        one = f"a: {{levels: [dba, marketing], risk: low, args_schema: {schema[0]}}}, b: {{signature: none}}"
        other = f"b: {{signature: none}}, a: {{args_schema: {schema[1]}, levels: [marketing, dba], risk: low}}"
        assert the_policy(f"actions: {{{one}}}").reference == the_policy(f"actions: {{{other}}}").reference

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("send_email", "send_mail"),
            ("risk: medium", "risk: low"),
            ("[dba, manager]", "[dba, marketing]"),
            ("signature: none", "level: manager, risk: low"),
            ("maximum: 3", "maximum: 4"),
            ("additionalProperties: false", "additionalProperties: true"),
        ],
    )
    def test_what_an_action_needs_is_part_of_it(self, old: str, new: str) -> None:
        assert the_policy(ACTIONS.replace(old, new, 1)).reference.version != POLICY.reference.version


def test_an_explanation_says_which_actions_wait_and_whose_arguments_break_their_schema() -> None:
    explained = explain(POLICY, asked_for("search_orders", "send_email"))
    assert [(action.name, action.waits, action.problem) for action in explained.actions] == [
        ("search_orders", False, None),
        ("send_email", True, "args: `to` is missing (`required`)"),
    ]
    held_back = explain(POLICY, asked_for("search_orders", reason_code="odd"))
    assert [action.waits for action in held_back.actions] == [True]


class TestTheCommands:
    def test_a_checked_policy_tells_which_actions_it_names(self, tmp_path: Path) -> None:
        file = tmp_path / "shop.yaml"
        file.write_text(a_file(MANAGER, MARKETING, DBA, rules=ONLY_ACTIONS, top=(ACTIONS,)))
        checked = signoff("policy", "check", str(file), "--json").json
        assert checked["signed_actions"] == ["send_email", "run_sql"]
        assert checked["unsigned_actions"] == ["search_orders"]

    def test_an_explained_request_tells_which_actions_wait(self, tmp_path: Path) -> None:
        file, event = tmp_path / "shop.yaml", tmp_path / "event.json"
        file.write_text(a_file(MANAGER, MARKETING, DBA, rules=ONLY_ACTIONS, top=(ACTIONS,)))
        asked = {
            "exception_id": "EXC-1",
            "kind": "action_request",
            "requested_by": "agent:web-chat",
            "actions": [
                {"name": "search_orders"},
                {"name": "send_email", "args": {"to": 5}},
                {"name": "run_sql", "args": {"statement": "select 1"}},
            ],
        }
        event.write_text(json.dumps(asked))
        ran = signoff("policy", "explain", str(event), "--policy", str(file))
        assert ran.code == 0, ran.err
        assert "search_orders wants no signature" in ran.out
        assert "send_email has arguments that break the policy's schema: args.to: must be of type string" in ran.out
        assert "run_sql waits for a signature" in ran.out


@pytest.mark.parametrize("path", sorted(POLICIES.glob("*.yaml")), ids=lambda path: path.name)
def test_the_policies_of_the_acceptance_tests_are_in_order(path: Path) -> None:
    assert load_policy(path).levels
