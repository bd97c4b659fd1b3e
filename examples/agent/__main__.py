"""A conversation beside a running `signoff up`: `python -m examples.agent --scripted "My mug came broken"`."""

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

from aiokafka.errors import KafkaConnectionError
from langchain_core.language_models import BaseChatModel
from psycopg import OperationalError

from examples.agent.conversations import Conversations, Reply, StillWaiting, Turn, Waiting
from examples.agent.graph import Agent
from examples.agent.scripted_model import DEMO, ScriptedModel
from examples.agent.signoff_client import Ears, Kafka, open_ears, open_signoff, thread_of
from examples.agent.storage import open_storage
from examples.agent.tools import shop_tools
from schemas.events import ApprovalNeeded, Event, ResolutionOutcome


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.agent", description="An agent that asks before it acts.")
    parser.add_argument("text", nargs="?", help="what the customer says; without it, only what waits is continued")
    parser.add_argument("--thread", help="continue this conversation; a new one otherwise")
    model = parser.add_mutually_exclusive_group(required=True)
    model.add_argument("--scripted", action="store_true", help="a model that plays a part: no key, no call")
    model.add_argument("--model", metavar="PROVIDER:NAME", help="any chat model with tools that LangChain knows")
    kafka, database = os.environ.get("SIGNOFF_KAFKA_BOOTSTRAP_SERVERS"), os.environ.get("AGENT_DATABASE_URL")
    parser.add_argument("--kafka", metavar="HOST:PORT", default=kafka, required=kafka is None)
    parser.add_argument("--database", metavar="URL", default=database, required=database is None)
    parser.add_argument("--topic-prefix", metavar="TEXT", default=os.environ.get("SIGNOFF_TOPIC_PREFIX", ""))
    return parser.parse_args(arguments)


async def converse(conversations: Conversations, ears: Ears, thread_id: str, text: str | None) -> None:
    """Ends when the conversation has its answer; Ctrl-C ends it before, and loses nothing."""
    turn = await conversations.say(thread_id, text) if text else await conversations.go_on(thread_id)
    show(turn)
    if not isinstance(turn, Reply):
        async for event in ears:
            turn = await hear(event, conversations)
            show(turn)
            if isinstance(turn, Reply) and turn.thread_id == thread_id:
                return


async def hear(event: Event, conversations: Conversations) -> Turn | None:
    match event:
        case ApprovalNeeded(exception_id=about, role=role) if thread_of(about):
            tell(f"for somebody with the role {role}; to agree, type")
            tell(f"    signoff decide {about} approve --reviewer user:you --role {role}")
        case ResolutionOutcome():
            return await conversations.hear(event)
    return None


def show(turn: Turn | None) -> None:
    match turn:
        case Waiting(exception_id, calls):
            tell(f"{exception_id} waits for a signature of {' and '.join(calls)}")
        case Reply(thread_id, text):
            tell(f"the agent says, in conversation {thread_id}:\n{text}")


def tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201


@asynccontextmanager
async def open_conversations(kafka: Kafka, database: str, model: BaseChatModel) -> AsyncIterator[Conversations]:
    async with open_signoff(kafka) as signoff, open_storage(database) as storage:
        agent = Agent(model, shop_tools(storage), signoff)
        yield Conversations(agent, storage.saver, storage.lock)


def named_model(name: str) -> BaseChatModel:
    """Needs langchain, and the package of the provider, which reads its key from the environment."""
    from langchain.chat_models import init_chat_model  # noqa: PLC0415 - the scripted model does without

    return init_chat_model(name)


async def run(chosen: argparse.Namespace) -> None:
    model = ScriptedModel(script=DEMO) if chosen.scripted else named_model(chosen.model)
    kafka = Kafka(chosen.kafka, chosen.topic_prefix)
    thread_id = chosen.thread or uuid4().hex[:12]
    tell(f"conversation {thread_id}; after Ctrl-C, --thread {thread_id} goes on with it")
    async with open_conversations(kafka, chosen.database, model) as conversations, open_ears(kafka) as ears:
        await converse(conversations, ears, thread_id, chosen.text)


if __name__ == "__main__":
    try:
        asyncio.run(run(options()))
    except (KafkaConnectionError, OperationalError) as error:
        sys.exit(f"{error}\nStart `signoff up`, and give the addresses that it prints as --kafka and --database")
    except StillWaiting as waiting:
        sys.exit(str(waiting))
    except KeyboardInterrupt:
        sys.exit(1)
