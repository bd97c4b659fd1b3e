"""What customers are told comes from the policy; a template that could fail or run away is refused."""

import logging
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from schemas.values import Customer, CustomerTier, ExceptionKind, LineItem, PayoutMethod, Proposal, Verdict
from tests.builders import a_proposal, an_exception, an_order, some_facts, usd
from worker.adapters.policy.loading import parse_policy
from worker.adapters.policy.messages import VARIABLES, meaning_of, read_messages
from worker.adapters.policy.problems import PolicyError, Problems
from worker.adapters.policy.templates import FILTERS, MAX_LENGTH, TESTS
from worker.domain.approval_policy import Draft
from worker.domain.order_exception import Facts, OrderException
from worker.domain.resolution import draft, propose

GOOD = """\
messages:
  refund:
    approve: "Dear {{ customer.name or 'customer' }}, your refund of {{ amount }} is on its way\
{% if method == 'store_credit' %} as store credit{% endif %}."
    reject: "We are sorry, we cannot refund order {{ order_id }}."
"""

SPARSE = [
    Facts(exception=OrderException(exception_id="E", kind=kind, requested_by="s"), order=None, customer=None)
    for kind in ExceptionKind
]
FULL = [some_facts(an_exception(kind=kind, items=(LineItem(sku="A", quantity=2),))) for kind in ExceptionKind]


def messages_of(content: str) -> tuple[Draft, list[tuple[int, str]]]:
    """The draft, and the line and message of each problem."""
    problems = Problems()
    said = read_messages(node_of(content), problems, [*SPARSE, *FULL])
    return said, [(problem.line, f"{problem.reason}; {problem.advice}") for problem in problems.found]


def node_of(content: str) -> yaml.Node:
    root = yaml.compose(content, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)
    node = root.value[0][1]
    assert isinstance(node, yaml.Node)
    return node


def with_template(template: str, kind: str = "refund", verdict: str = "approve") -> str:
    """A policy with one message, written as a block: the template's first line is the file's fourth."""
    block = "".join(f"\n      {line}" for line in template.split("\n"))
    return f"messages:\n  {kind}:\n    {verdict}: |{block}\n"


def said_of(template: str, facts: Facts | None = None, proposal: Proposal | None = None) -> str | None:
    said, problems = messages_of(with_template(template))
    assert problems == []
    facts = facts or some_facts()
    return said(Verdict.APPROVE, proposal or propose(facts), facts)


def problem_of(template: str, kind: str = "refund", verdict: str = "approve") -> tuple[int, str]:
    _, (problem,) = messages_of(with_template(template, kind, verdict))
    return problem


class TestWhatIsSaid:
    def test_a_customer_without_a_name_is_addressed_all_the_same(self) -> None:
        said, problems = messages_of(GOOD)
        assert problems == []
        facts = some_facts()
        assert said(Verdict.APPROVE, propose(facts), facts) == "Dear customer, your refund of 150.00 USD is on its way."

    def test_what_a_reviewer_changed_is_what_the_customer_reads(self) -> None:
        said, _ = messages_of(GOOD)
        facts = some_facts().model_copy(update={"customer": Customer(name="Ada")})
        lowered = a_proposal(amount=usd(12_000), method=PayoutMethod.STORE_CREDIT)
        expected = "Dear Ada, your refund of 120.00 USD is on its way as store credit."
        assert {said(verdict, lowered, facts) for verdict in (Verdict.APPROVE, Verdict.MODIFY, Verdict.CHOOSE)} == {
            expected
        }

    def test_a_rejection_has_words_of_its_own(self) -> None:
        said, _ = messages_of(GOOD)
        facts = some_facts()
        assert said(Verdict.REJECT, propose(facts), facts) == "We are sorry, we cannot refund order ORD-1."

    @pytest.mark.parametrize("verdict", [Verdict.APPROVE, Verdict.REJECT])
    def test_a_kind_without_words_gets_the_plain_ones(self, verdict: Verdict) -> None:
        said, _ = messages_of(GOOD)
        facts = some_facts(an_exception(kind=ExceptionKind.CANCELLATION))
        assert said(verdict, propose(facts), facts) == draft(verdict, propose(facts), facts)

    def test_a_policy_without_messages_says_the_plain_ones(self) -> None:
        assert read_messages(None, Problems(), SPARSE) is draft

    def test_a_template_that_gives_no_words_says_nothing(self) -> None:
        assert said_of("{% if method == 'bank_transfer' %}It takes three days.{% endif %}") is None

    def test_a_text_stays_as_it_is(self) -> None:
        facts = some_facts().model_copy(update={"customer": Customer(name="<b>{{ amount }}</b> & Söhne")})
        assert said_of("Dear {{ customer.name or 'you' }}", facts) == "Dear <b>{{ amount }}</b> & Söhne"

    def test_items_are_named_as_the_event_or_else_the_order_names_them(self) -> None:
        items = (LineItem(sku="MUG-1", quantity=2), LineItem(sku="CUP-1", name="Blue cup"))
        ordered = (LineItem(sku="MUG-1", name="Red mug", unit_price=usd(1_250)), LineItem(sku="CUP-1", name="Cup"))
        facts = some_facts(an_exception(items=items), an_order(items=ordered))
        template = (
            "{% for item in items %}{{ item.quantity }} x {{ item.name or item.sku }}"
            "{% if item.unit_price %} at {{ item.unit_price }}{% endif %}"
            "{{ '' if loop.last else ', ' }}{% endfor %}"
        )
        assert said_of(template, facts) == "2 x Red mug at 12.50 USD, 1 x Blue cup"

    def test_filters_do_what_jinja_says(self) -> None:
        facts = some_facts(an_exception(items=(LineItem(sku="a"), LineItem(sku="b")), reason_code="too_late"))
        template = (
            "{{ items | map(attribute='sku') | join(' and ') | upper }}, "
            "{{ reason_code | default('x') | replace('_', ' ') }}, {{ items | length }}"
        )
        assert said_of(template, facts) == "A AND B, too late, 2"

    def test_every_variable_may_be_used(self) -> None:
        asked = an_exception(reason_code="damaged", items=(LineItem(sku="A"),))
        facts = Facts(exception=asked, order=an_order(), customer=Customer(name="Ada", tier=CustomerTier.VIP))
        plain = [name for name in VARIABLES if name not in {"customer", "items"}]
        template = (
            " ".join(f"{{{{ {name} or '-' }}}}" for name in plain) + " {{ customer.tier or '' }} {{ items|length }}"
        )
        assert said_of(template, facts) == (
            "EXC-1 refund ORD-1 CUST-1 150.00 USD 150.00 USD original_method refund damaged vip 1"
        )


class TestAnotherActionThanWasAskedFor:
    CHOSEN = Proposal(action="replacement")

    def test_a_template_of_a_refund_is_not_said_of_a_replacement(self) -> None:
        assert said_of("Your money is on its way.", proposal=self.CHOSEN) == "Your request is granted: replacement."

    def test_a_template_that_asks_for_the_action_is(self) -> None:
        template = "{% if action == 'replacement' %}A new one{% else %}Your {{ amount }}{% endif %} is on its way."
        assert said_of(template, proposal=self.CHOSEN) == "A new one is on its way."
        assert said_of(template) == "Your 150.00 USD is on its way."


SPOILT = {
    "unknown kind": ("refund:", "refunds:", 2, "`messages` has an unknown key `refunds`; did you mean refund?"),
    "unknown verdict": ("approve:", "aprove:", 3, "unknown key `aprove`; did you mean approve?"),
    "verdict without words of its own": ("approve:", "modify:", 3, "unknown key `modify`; known are: approve, reject"),
    "verdict twice": ("reject:", "approve:", 4, "`messages` of refund has `approve` twice, first on line 3"),
    "empty": (
        '"We are sorry, we cannot refund order {{ order_id }}."',
        '""',
        4,
        "`messages` of refund is not text",
    ),
    "unquoted": ('"We are sorry, we cannot refund order {{ order_id }}."', "{{ order_id }}", 4, "put it in quotes"),
    "syntax": ("{{ order_id }}", "{{ order_id }", 4, "message refund.reject is not a template: unexpected '}'"),
    "no end of if": ("{% endif %}", "", 3, "message refund.approve is not a template: Unexpected end of template"),
    "unknown name": ("{{ amount }}", "{{ amont }}", 3, "uses an unknown name `amont`; did you mean amount?"),
    "unknown field": ("customer.name", "customer.nam", 3, "unknown name `customer.nam`; did you mean customer.name?"),
    "unknown name in a branch": (" as store", "{{ metod }}", 3, "uses an unknown name `metod`; did you mean method?"),
    "unknown filter": ("{{ amount }}", "{{ amount|uper }}", 3, "unknown filter `uper`; did you mean upper?"),
    "unknown test": ("method ==", "method is rich and method ==", 3, "uses an unknown test `rich`"),
}


@pytest.mark.parametrize(("old", "new", "line", "message"), SPOILT.values(), ids=SPOILT)
def test_one_mistake_is_one_problem_at_its_line(old: str, new: str, line: int, message: str) -> None:
    assert old in GOOD
    _, ((place, told),) = messages_of(GOOD.replace(old, new, 1))
    assert place == line
    assert message in told


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("messages: none", 1, "`messages` is not a mapping"),
        ("messages: {}", 1, "`messages` has no message; add one, or remove `messages`"),
        ("messages:\n  refund: {}", 2, "`messages` of refund has no message; add `approve` or `reject`"),
        ("messages:\n  refund: hello", 2, "`messages` of refund is not a mapping"),
    ],
)
def test_messages_that_are_none_are_refused(content: str, line: int, message: str) -> None:
    _, problems = messages_of(content)
    assert problems[0][0] == line
    assert message in problems[0][1]


REFUSED = {
    "name that may be unknown": ("Dear {{ customer.name }}", "needs `customer.name`, which may be unknown"),
    "unknown name in a filter": ("{{ reason_code | upper }}", "needs `reason_code`, which may be unknown"),
    "unknown name in a longer text": ("{{ 'Dear ' ~ customer.name }}", "needs `customer.name`"),
    "branch that seldom runs": ("{% if customer.name %}{{ customer.name.first }}{% endif %}", "a text has no `first`"),
    "branch of one method": ("{% if method == 'bank_transfer' %}{{ items.iban }}{% endif %}", "a list has no `iban`"),
    "branch of another action": ("{% if action == 'sample' %}{{ reason_code.x }}{% endif %}", "a text has no `x`"),
    "unknown field of an item": ("{% for i in items %}{{ i.price }}{% endfor %}", "known are: sku, quantity"),
    "item that may not be there": ("{{ (items | first).sku }}", "No first item"),
    "list as a whole": ("{{ items }}", "fails: a whole list is put into words; name a text or a number"),
    "list joined with itself": ("{{ items | join(', ') }}", "a whole group (sku, quantity, "),
    "group as a whole": ("{{ customer }}", "a whole group (name, language, tier) is put into words"),
    "python's own words": ("{{ amount.upper }}", "what is no text is put into words"),
    "true or false": ("{{ amount == 'x' }}", "a true or false is put into words"),
    "nothing": ("{{ none }}", "nothing (none) is put into words"),
    "if without else": ("{{ amount if method }}", "has an `if` without `else`"),
    "numbers against texts": ("{% if amount > 5 %}x{% endif %}", "fails: '>' not supported"),
    "inner workings": ("{{ amount['__class__'] }}", "fails: access to attribute '__class__' of 'str' object is unsafe"),
    "filter by name": ("{{ items | map('attr', 'x') | join }}", "fails: No filter named 'attr'"),
    "loop over a range": ("{% for i in range(99999999) %}x{% endfor %}", "calls a function; use a filter: capitalize"),
    "loop in a loop": ("{% for a in items %}{% for b in items %}{% endfor %}{% endfor %}", "within a repetition"),
    "recursive loop": ("{% for a in items recursive %}{{ loop(items) }}{% endfor %}", "repeats within a repetition"),
    "macro": ("{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}", "uses `macro`, which messages do not have"),
    "doubling": ("{% set a = 'xx' %}{% set a = a ~ a %}{{ a }}", "uses `set`, which messages do not have"),
    "doubling in a block": ("{% with a = 'x' %}{{ a }}{% endwith %}", "uses `with`, which messages do not have"),
    "power": ("{{ 9 ** 9 ** 9 ** 9 }}", "uses `**`, which messages do not have"),
    "repeated text": ("{{ 'x' * 9999999999 }}", "uses `*`, which messages do not have"),
    "padding": ("{{ 'x' | center(9999999999) }}", "uses an unknown filter `center`"),
    "formatting": ("{{ '%9999999999d' | format(1) }}", "uses an unknown filter `format`"),
    "method": ("{{ 'x'.zfill(9999999999) }}", "calls a function"),
    "growing text": ("{{ 'xx'" + " | replace('x', 'xxxxxxxxxx')" * 60 + " }}", "gives more than 4000"),
    "another file": ("{% include '/etc/passwd' %}", "uses `include`, which messages do not have"),
    "another template": ("{% extends 'base' %}", "uses `extends`, which messages do not have"),
    "import": ("{% from 'a' import b %}", "uses `from`, which messages do not have"),
    "endless template": ("x" * (MAX_LENGTH + 1), "is longer than 4000 characters; shorten it"),
    "endless message": ("{{ 'yy' | replace('y', '" + "x" * 1000 + "') }}" + "z" * 2001, "gives more than 4000"),
    "nesting": ("{{ " + "not " * 950 + "amount }}", "is nested too deeply"),
    "parentheses": ("{{ " + "(" * 1900 + "amount" + ")" * 1900 + " }}", "is nested too deeply"),
}  # fmt: skip


@pytest.mark.parametrize(("template", "message"), REFUSED.values(), ids=REFUSED)
def test_a_template_that_could_fail_or_run_away_is_refused(template: str, message: str) -> None:
    _, problems = messages_of(with_template(template))
    assert {line for line, _ in problems} == {4}
    assert message in problems[0][1]


def test_the_advice_for_an_unknown_value_says_how_to_write_it() -> None:
    assert problem_of("Hello\nDear {{ customer.name }}") == (
        5,
        "message refund.approve needs `customer.name`, which may be unknown; "
        "write customer.name or '…' with other words, or ask {% if customer.name %}",
    )


def test_what_the_contract_promises_of_a_kind_need_not_be_asked_for() -> None:
    promised = "{{ order_id }} {{ customer_id }} {{ amount }} {{ method }}"
    assert messages_of(with_template(promised))[1] == []
    assert messages_of(with_template(promised, "cancellation"))[1] == []
    assert "needs `amount`" in problem_of(promised, "account_change")[1]
    assert "needs `order_id`" in problem_of("{{ order_id }}", "action_request")[1]
    assert "needs `amount_asked`" in problem_of("{{ amount_asked }}", "cancellation")[1]


def test_a_problem_in_folded_text_names_the_line_of_the_template() -> None:
    folded = "messages:\n  refund:\n    approve: >\n      Hello\n\n      {{ amont }}\n"
    _, problems = messages_of(folded)
    assert problems == [
        (3, "message refund.approve uses an unknown name `amont` (line 2 of the template); did you mean amount?")
    ]


def test_all_mistakes_are_told_at_once() -> None:
    _, problems = messages_of(GOOD.replace("amount", "amont").replace("order_id", "oder_id"))
    assert [line for line, _ in problems] == [3, 4]


class TestFailureAtRunTime:
    """Samples cannot foresee every case: then the plain words are said, and nothing stops."""

    BUYS_TOO_MUCH = "{% for item in items %}" + "x" * 500 + "{% endfor %}"

    def test_a_message_that_gets_too_long_gives_way_to_the_plain_one(self) -> None:
        facts = some_facts(an_exception(items=tuple(LineItem(sku=str(number)) for number in range(9))))
        assert said_of(self.BUYS_TOO_MUCH, facts) == "Your refund of 150.00 USD is on its way."

    def test_a_refund_of_nobody_knows_how_much_gets_the_plain_words(self) -> None:
        facts = SPARSE[0]
        assert said_of("You get {{ amount }}.", facts) == "Your refund is on its way."

    def test_it_is_logged_once_for_each_message_without_the_customers_data(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        said, _ = messages_of(with_template(self.BUYS_TOO_MUCH))
        facts = some_facts(an_exception(items=(LineItem(sku="secret"),) * 9))
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                said(Verdict.APPROVE, propose(facts), facts)
        assert [record.getMessage() for record in caplog.records] == [
            "message refund.approve failed (gives more than 4000 characters), the plain one is used"
        ]


names = st.text(max_size=50)
facts_of_refunds = st.builds(
    lambda sku, name, customer, code: some_facts(
        an_exception(items=(LineItem(sku=sku, name=name),) if sku.strip() else (), reason_code=code)
    ).model_copy(update={"customer": customer}),
    names,
    st.none() | names,
    st.none() | st.builds(Customer, name=st.none() | names),
    st.none() | names,
)
EVERYTHING = """
{% for item in items if item.quantity > 0 %}{{ loop.index }}: {{ item.name or item.sku }}{% endfor %}
{{ customer.name | default('you') | title | truncate(20) }} {{ reason_code or '-' }}
{% if customer.name is defined and customer.tier == 'vip' %}{{ customer.name | first | upper }}{% endif %}
"""


@given(facts_of_refunds)
def test_a_template_that_was_accepted_speaks_of_any_case(facts: Facts) -> None:
    said = said_of(EVERYTHING, facts)
    assert said is not None
    assert "None" not in said or "None" in str(facts)
    assert said != draft(Verdict.APPROVE, propose(facts), facts)


class TestTheVersion:
    def test_it_means_the_texts_by_kind_and_verdict(self) -> None:
        meaning = meaning_of(node_of(GOOD))
        assert isinstance(meaning, Mapping)
        assert meaning["refund"]["reject"] == "We are sorry, we cannot refund order {{ order_id }}."

    def test_it_is_the_same_however_the_texts_are_written(self) -> None:
        quoted = "messages:\n  refund: {reject: 'No.', approve: \"Yes.\"}\n"
        plain = "# ours\nmessages:\n  refund:\n    approve: Yes.\n    reject: No.\n"
        assert meaning_of(node_of(quoted)) == meaning_of(node_of(plain))

    def test_it_differs_when_a_word_does(self) -> None:
        assert meaning_of(node_of(GOOD)) != meaning_of(node_of(GOOD.replace("sorry", "very sorry")))

    def test_no_messages_mean_nothing(self) -> None:
        assert meaning_of(None) is None


def test_all_filters_are_jinjas() -> None:
    for name in FILTERS:
        arguments = {"map": "(attribute='sku') | join", "replace": "('a', 'b')"}.get(name, "")
        value = "items" if name in {"map", "first", "last"} else "amount"
        rest = " | length" if name in {"first", "last"} else ""
        guarded = f"{{% if items %}}{{{{ {value} | {name}{arguments}{rest} }}}}{{% endif %}}"
        assert messages_of(with_template(guarded))[1] == [], name


IN_LANGUAGES = """\
messages:
  refund:
    approve:
      default: Your {{ amount }}.
      de: Ihre {{ amount }}, {{ customer.name or 'Kunde' }}.
      pt-BR: Seus {{ amount }}.
      zh-hant: |
        {{ amount }} {{ customer.language or '' }}
    reject: No.
"""


class TestLanguages:
    def said(self, language: str | None, content: str = IN_LANGUAGES, verdict: Verdict = Verdict.APPROVE) -> str | None:
        said, problems = messages_of(content)
        assert problems == []
        facts = some_facts().model_copy(update={"customer": Customer(language=language) if language else None})
        return said(verdict, propose(facts), facts)

    @pytest.mark.parametrize(
        ("language", "said"),
        [
            ("de", "Ihre 150.00 USD, Kunde."),
            ("DE", "Ihre 150.00 USD, Kunde."),
            ("de-AT-1901", "Ihre 150.00 USD, Kunde."),
            ("pt-br", "Seus 150.00 USD."),
            ("pt-BR-u-ca-gregory", "Seus 150.00 USD."),
            ("zh-Hant-TW", "150.00 USD zh-Hant-TW"),
            ("pt", "Your 150.00 USD."),
            ("pt-PT", "Your 150.00 USD."),
            ("de-x-shop", "Ihre 150.00 USD, Kunde."),
            ("fr", "Your 150.00 USD."),
            (None, "Your 150.00 USD."),
        ],
    )
    def test_the_nearest_language_of_the_customer_is_spoken(self, language: str | None, said: str) -> None:
        assert self.said(language) == said

    def test_a_text_without_languages_is_for_all(self) -> None:
        assert self.said("de", verdict=Verdict.REJECT) == "No."

    def test_without_a_default_others_get_the_plain_words(self) -> None:
        content = "messages: {refund: {approve: {de: 'Ihr Geld.'}}}"
        assert self.said("de", content) == "Ihr Geld."
        assert self.said("fr", content) == self.said(None, content) == "Your refund of 150.00 USD is on its way."

    @pytest.mark.parametrize(
        ("old", "new", "line", "message"),
        [
            ("Ihre {{ amount", "Ihre {{ amont", 5, "message refund.approve.de uses an unknown name `amont`"),
            ("{{ customer.name or 'Kunde' }}", "{{ customer.name }}", 5, "refund.approve.de needs `customer.name`"),
            ("or ''", "", 8, "refund.approve.zh-hant needs `customer.language`, which may be unknown"),
            ("Seus", "x" * (MAX_LENGTH + 1), 6, "refund.approve.pt-BR is longer than 4000 characters"),
            ("de:", "german!:", 5, "message refund.approve has the key `german!`, which is no language; write a tag"),
            ("pt-BR:", "DE:", 6, "message refund.approve has DE twice, first on line 5; keep one of them"),
            ("pt-BR:", "de:", 6, "message refund.approve has `de` twice, first on line 5; keep one of them"),
            ("Seus {{ amount }}.", "", 6, "`pt-BR` of message refund.approve is not text; write a value"),
        ],
    )
    def test_each_variant_is_tried_as_if_it_stood_alone(self, old: str, new: str, line: int, message: str) -> None:
        assert old in IN_LANGUAGES
        _, ((place, told),) = messages_of(IN_LANGUAGES.replace(old, new, 1))
        assert place == line
        assert message in told

    def test_no_variant_at_all_is_refused(self) -> None:
        _, ((place, told),) = messages_of("messages:\n  refund:\n    approve: {}\n")
        assert (place, told) == (3, "message refund.approve has no text; add `default: …`")

    def test_a_variant_that_fails_gives_way_to_the_plain_words_under_its_own_name(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        endless = "{% for item in items %}" + "x" * 500 + "{% endfor %}"
        said, _ = messages_of(f"messages: {{refund: {{approve: {{de: '{endless}', default: Yours.}}}}}}")
        items = tuple(LineItem(sku=str(number)) for number in range(9))
        facts = some_facts(an_exception(items=items)).model_copy(update={"customer": Customer(language="de")})
        with caplog.at_level(logging.WARNING):
            assert said(Verdict.APPROVE, propose(facts), facts) == "Your refund of 150.00 USD is on its way."
        assert caplog.records[0].getMessage().startswith("message refund.approve.de failed (gives more than")

    def test_each_text_is_part_of_the_version(self) -> None:
        assert meaning_of(node_of(IN_LANGUAGES)) != meaning_of(node_of(IN_LANGUAGES.replace("Seus", "Teus")))


class TestThePage:
    """docs/messages.md says what the code does."""

    PAGE = (Path(__file__).parents[2] / "docs" / "messages.md").read_text(encoding="utf-8")
    POLICY, IN_LANGUAGES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

    def test_the_policy_on_the_page_says_the_message_on_the_page(self) -> None:
        policy = parse_policy(self.POLICY.encode(), "shop.yaml")
        ordered = an_order(items=(LineItem(sku="MUG-1", name="Red mug"),))
        facts = some_facts(an_exception(items=(LineItem(sku="MUG-1", quantity=2),)), ordered).model_copy(
            update={"customer": Customer(name="Ada")}
        )
        (message,) = re.findall(r"^```text\n(.*?)\n```$", self.PAGE, re.MULTILINE | re.DOTALL)
        chosen = a_proposal(method=PayoutMethod.STORE_CREDIT)
        assert policy.draft(Verdict.CHOOSE, chosen, facts) == message
        replaced = policy.draft(Verdict.CHOOSE, Proposal(action="replacement"), facts)
        assert replaced == "Dear Ada,\na new one is on its way.\n- 2 x Red mug"

    @pytest.mark.parametrize(
        ("language", "first_word"), [("de-AT", "Ihre"), ("pt-BR", "Seu"), ("pt-PT", "Your"), ("en", "Your")]
    )
    def test_the_policy_of_three_languages_speaks_as_the_page_says(self, language: str, first_word: str) -> None:
        policy = parse_policy(self.IN_LANGUAGES.encode(), "shop.yaml")
        facts = some_facts().model_copy(update={"customer": Customer(language=language)})
        said = policy.draft(Verdict.APPROVE, propose(facts), facts)
        assert said is not None
        assert said.split()[0] == first_word

    def test_the_refusal_on_the_page_is_what_its_author_would_see(self) -> None:
        spoilt = self.POLICY.replace("customer.name or 'customer'", "customer.name")
        with pytest.raises(PolicyError) as refused:
            parse_policy(spoilt.encode(), "shop.yaml")
        assert str(refused.value) in self.PAGE.splitlines()

    def test_every_variable_is_explained_as_the_code_means_it(self) -> None:
        assert dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", self.PAGE, re.MULTILINE)) == dict(VARIABLES)

    def test_every_filter_and_test_is_named(self) -> None:
        assert f"Filters: {', '.join(f'`{name}`' for name in FILTERS)}." in self.PAGE
        assert {"defined", "undefined"} <= set(TESTS)
        assert f"{MAX_LENGTH:,} characters" in self.PAGE
