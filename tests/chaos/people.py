"""Those who sign: in time and late, twice and at once, before they are asked; and in the end all of them, and well."""

from collections import Counter
from collections.abc import Iterable
from functools import partial
from random import Random
from types import TracebackType
from typing import Any, Self

from tests.builders import Event
from tests.chaos.agenda import Agenda
from tests.chaos.answers import as_a_screen_says_it, letter, verdict_for, what_belongs_to
from tests.chaos.history import History
from tests.chaos.mail import Letter, Post, Story
from tests.chaos.screens import Question, Screens
from tests.chaos.shop import LEVELS, Shop, needs_of
from tests.chaos.staff import Colleague, respelt
from tests.chaos.visits import Course, Visits

DOUBLED, MANY_TIMES = 0.1, 0.001
RIVALLED = 0.12
HELD = 0.05
TOO_LATE = 0.08
AHEAD_OF_THE_LEVEL = 0.2
RESPELT = 0.1
IN_BULK, MOST_IN_BULK = 0.05, 4

HEARING_S = 0.2
"""How often people listen for what is about to be raised."""

_ANOTHER_MUST_SIGN = frozenset({"SAME_REVIEWER", "NOT_AUTHORISED", "SELF_APPROVAL"})
_NOT_AS_IT_STANDS = frozenset({"STALE"})


_Composed = tuple[Event, Story]
"""A decision, and what the history is told of it."""


class People:
    """`hurry` makes them answer whatever is open, at once and so that it comes to an end."""

    def __init__(self, dice: Random, kafka: str, prefix: str, history: History, shop: Shop) -> None:
        self._dice, self._shop = dice, shop
        self._post = Post(kafka, prefix, history)
        self._agenda = Agenda()
        self._screens = Screens(shop.staff, self._asked, self._closed, self._answered)
        self._inbox = self._screens.inbox(kafka, prefix)
        self._visits = Visits(self._agenda, self._answer)
        self._by: dict[str, tuple[str, str]] = {}
        """Approval id and person, by decision id."""
        self._numbers = Counter[str]()
        self._prefix = prefix

    @property
    def open_questions(self) -> int:
        return len(self._screens.open)

    async def open(self) -> None:
        await self._post.__aenter__()
        self._agenda.open()
        self._inbox.open()
        self._agenda.after(0, self._listen)

    async def close(self) -> None:
        """Raises what went wrong with anybody."""
        await self._inbox.close()
        try:
            await self._agenda.close()
        finally:
            await self._post.__aexit__(None, None, None)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def hurry(self) -> None:
        """From now on: whoever put something off does it, and what nobody wanted to answer is answered."""
        self._visits.is_in_a_hurry = True
        self._agenda.all_now()
        for question in self._screens.open:
            self._visits.plan(question, self._dice.uniform(0, 0.5))

    # What they notice

    def _asked(self, question: Question) -> None:
        dice, agenda = self._dice, self._agenda
        if self._visits.is_in_a_hurry:
            self._visits.plan(question, dice.uniform(0, 0.3))
            return
        wait = _patience(dice)
        if wait is None:
            return
        if dice.random() < HELD:
            agenda.after(wait / 2, partial(self._hold, question))
        else:
            self._visits.plan(question, wait)
            if dice.random() < RIVALLED:
                agenda.after(wait, partial(self._answer, question, class_="rival"))
        if self._next_level(question) and dice.random() < AHEAD_OF_THE_LEVEL:
            agenda.after(wait / 2, partial(self._sign_ahead, question))

    def _closed(self, question: Question) -> None:
        if self._dice.random() < TOO_LATE:
            wait = self._dice.uniform(0, 2)
            self._agenda.after(wait, partial(self._answer, question, class_="late"))

    def _answered(self, receipt: Event) -> None:
        """Who was refused tells the others; who signed a quorum fetches the next."""
        approval_id, person = self._by.get(receipt["decision_id"], ("", ""))
        question = self._screens.questions.get(approval_id)
        if question is None:
            return
        course = self._visits.course(question)
        course.heard()
        if receipt["code"] in ("ACCEPTED", "DUPLICATE", "ALREADY_DECIDED", "EXPIRED"):
            return
        if receipt["code"] in _ANOTHER_MUST_SIGN:
            course.unfit.add(person)
        course.is_stale |= receipt["code"] in _NOT_AS_IT_STANDS
        if question.is_open:
            self._visits.plan(question, self._dice.uniform(0, 1))

    async def _listen(self) -> None:
        """Some hear of an exception before it is raised, and answer what is not asked yet."""
        while self._shop.coming:
            event = self._shop.coming.popleft()
            levels = needs_of(event, self._shop.orders)
            if levels and self._dice.random() < 0.7:
                await self._answer_early(event, self._dice.choice([levels[0], None, levels[-1]]), levels[0])
        self._agenda.after(HEARING_S, self._listen)

    # What they do

    async def _answer(self, question: Question, class_: str = "valid") -> None:
        if question.is_open is (class_ == "late"):
            return
        others = self._screens.open if class_ == "valid" and self._dice.random() < IN_BULK else []
        questions = [question, *self._dice.sample(others, min(len(others), MOST_IN_BULK))]
        composed = [self._composed(each, class_) for each in {each.approval_id: each for each in questions}.values()]
        await self._send(question.key, *composed)

    def _composed(self, question: Question, class_: str) -> _Composed:
        course, dice = self._visits.course(question), self._dice
        reviewer = self._somebody_for(question, course)
        verdict = verdict_for(question, dice, in_a_hurry=self._visits.is_in_a_hurry)
        if course.is_stale and dice.random() < 0.7:
            verdict = "reject"
        decision = self._decision(verdict, reviewer, **self._naming(question))
        decision |= what_belongs_to(verdict, question, dice)
        if dice.random() < 0.3:
            decision["review_hash"] = question.needed["review_hash"]
        if verdict in ("approve", "reject") and dice.random() < 0.1:
            decision = as_a_screen_says_it(decision, question)
        self._by[decision["decision_id"]] = (question.approval_id, reviewer.person)
        course.answered()
        course.unfit.add(reviewer.person)  # whatever comes of it, the next time is somebody else's turn
        return decision, _told(decision, class_, verdict, reviewer, _about(question))

    async def _sign_ahead(self, question: Question) -> None:
        """The next level signs before it is asked."""
        level = self._next_level(question)
        people = self._shop.staff.who_may(LEVELS[level]["role"], self._signers(question)) if level else []
        if level is None or not people:
            return
        reviewer = self._dice.choice(people)
        decision = self._decision("approve", reviewer, exception_id=question.exception_id, level=level)
        about = {"approval_id": None, "exception_id": question.exception_id, "level": level}
        await self._send(question.key, (decision, _told(decision, "early", "approve", reviewer, about)))

    async def _answer_early(self, event: Event, level: str | None, first: str) -> None:
        """Before the case itself is there. Who names no level answers the first one."""
        staff = self._shop.staff
        without = frozenset({staff.person(event["requested_by"])})
        reviewer = self._dice.choice(staff.who_may(LEVELS[level or first]["role"], without))
        verdict = self._dice.choice(["approve", "approve", "approve", "reject"])
        decision = self._decision(verdict, reviewer, exception_id=event["exception_id"])
        if level is not None:
            decision["level"] = level
        about = {"approval_id": None, "exception_id": event["exception_id"], "level": level}
        key = str(event.get("order_id") or event["exception_id"])
        await self._send(key, (decision, _told(decision, "early", verdict, reviewer, about)))

    async def _hold(self, question: Question) -> None:
        """Somebody takes the question for themselves, and answers it, lets it go, or forgets it."""
        if not question.is_open:
            return
        reviewer = self._somebody_for(question, self._visits.course(question))
        await self._command("claim", question, reviewer)
        afterwards = self._dice.random()
        if afterwards < 0.2:
            await self._command("release", question, reviewer)
        self._visits.plan(question, self._dice.uniform(0.2, 1))

    async def _command(self, command: str, question: Question, reviewer: Colleague) -> None:
        by: Event = {"id": self._spelt(reviewer), "roles": []}
        event = {"command_id": self._next_id("C"), "approval_id": question.approval_id, "command": command, "by": by}
        story = _told({"decision_id": event["command_id"], "reviewer": by}, command, None, reviewer, _about(question))
        await self._post.send(letter(event, question.key, self._dice, command=True), story)

    async def _send(self, key: str, *composed: _Composed) -> None:
        """One record, whether it holds one decision or several."""
        decisions = [decision for decision, _ in composed]
        sent = letter(decisions[0] if len(decisions) == 1 else {"decisions": decisions}, key, self._dice)
        await self._post.send(sent, *(story for _, story in composed))
        for copy in self._copies(sent):
            await self._post.send(copy, *({**story, "class": "doubled"} for _, story in composed))

    def _copies(self, sent: Letter) -> Iterable[Letter]:
        """The same bytes once more, perhaps in another partition; seldom a hundred times."""
        drawn = self._dice.random()
        if drawn < MANY_TIMES:
            return [sent] * 99
        other = Letter(sent.topic, f"{sent.key}-{self._dice.randrange(100)}", sent.value, sent.headers)
        return [self._dice.choice([sent, other])] if drawn < DOUBLED else []

    def _decision(self, verdict: str, reviewer: Colleague, **about: Any) -> Event:
        """Roles are left out, or claimed: the register decides."""
        by: Event = {"id": self._spelt(reviewer)}
        if self._dice.random() < 0.5:
            by["roles"] = list(reviewer.roles)
        return {"decision_id": self._next_id("D"), **about, "verdict": verdict, "reviewer": by}

    def _naming(self, question: Question) -> Event:
        """A question that is closed is named by its own id: by the case's, another one would be meant."""
        if question.is_open and self._dice.random() < 0.3:
            return {"exception_id": question.exception_id, "level": question.level}
        return {"approval_id": question.approval_id}

    def _somebody_for(self, question: Question, course: Course) -> Colleague:
        """Who holds the question, else anybody who may and has not tried; anybody who may when all have."""
        staff, without = self._shop.staff, self._signers(question)
        able = staff.who_may(question.role, without) or staff.who_may(question.role)
        holder = staff.person(question.held_by) if question.held_by else None
        fit = [one for one in able if one.person == holder] or [one for one in able if one.person not in course.unfit]
        if not fit:
            course.unfit.clear()
        return self._dice.choice(fit or able)

    def _signers(self, question: Question) -> frozenset[str]:
        return frozenset({*question.signed, question.requester})

    def _next_level(self, question: Question) -> str | None:
        level = question.needed["level"]
        above: str | None = LEVELS[question.level]["escalates_to"]
        return above if level["number"] < level["of"] else None

    def _spelt(self, reviewer: Colleague) -> str:
        return respelt(reviewer.id, self._dice) if self._dice.random() < RESPELT else reviewer.id

    def _next_id(self, kind: str) -> str:
        self._numbers[kind] += 1
        return f"{self._prefix}{kind}-{self._numbers[kind]}"


def _patience(dice: Random) -> float | None:
    """Seconds until somebody answers; None is never, as long as nobody hurries."""
    drawn = dice.random()
    if drawn < 0.7:
        return dice.uniform(0, 1)
    return dice.uniform(3, 10) if drawn < 0.92 else None


def _about(question: Question) -> Story:
    return {"approval_id": question.approval_id, "exception_id": question.exception_id, "level": question.level}


def _told(decision: Event, class_: str, verdict: str | None, reviewer: Colleague, about: Story) -> Story:
    """What the history is told. A screen's answer has no verdict of its own."""
    return {
        "class": class_,
        "hostile": False,
        "decision_id": decision["decision_id"],
        **about,
        "verdict": verdict,
        "reviewer": decision["reviewer"]["id"],
        "person": reviewer.person,
    }
