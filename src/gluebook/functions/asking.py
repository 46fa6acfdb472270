"""Ask the warehouse now, fetch its answer at a later look: nobody waits while it wakes up.

What is asked lies in the ledger, as a mark, with the statement that asks it. What gets no answer is asked again ever
more seldom, down to once a day: each time wakes the warehouse up.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, replace

from gluebook.core.backoff import ONCE_A_DAY
from gluebook.core.stamps import stamp
from gluebook.core.statements import Rows
from gluebook.errors import WarehouseBusy
from gluebook.functions.work import Loading

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Question:
    """What is asked.

    about         tells one question from the next of its name; asked anew it has a new one
    tries         statements submitted for it
    retry_at      not before then is another one
    statement_id  the one whose answer is to be fetched
    answered      whether the last one that has ended gave an answer
    """

    about: str
    tries: int = 0
    retry_at: str = ""
    statement_id: str | None = None
    answered: bool = False


@dataclass(frozen=True)
class Answer:
    """The rows, and the question that they answer: what was asked last time, which need not be what is asked now."""

    about: str
    rows: Rows


def ask(name: str, about: str, sql: str, work: Loading) -> Answer | None:
    """The answer to what was asked under `name`, if there is one now; otherwise see to it that `about` is asked.

    Never waits. After an answer it is asked again only if it is due, at the next call.
    """
    question = asked(name, work)
    answer = None
    if question is not None and question.statement_id is not None:
        statement = work.warehouse.statement(question.statement_id)
        if statement is not None and not statement.ended:
            return None
        if statement is not None and statement.status == "FINISHED":
            answer = Answer(question.about, work.warehouse.result(question.statement_id))
        else:
            said = (statement.error or statement.status) if statement else "its statement has expired"
            _log.error("the warehouse did not answer %s, try %d: %s", name, question.tries, said)
        question = replace(question, statement_id=None, answered=answer is not None)
        _note(name, question, work)
    if answer is None:
        # What goes unanswered stays so, whatever it is about.
        goes_on = question is not None and (question.about == about or not question.answered)
        _submit(name, replace(question, about=about) if question and goes_on else Question(about), sql, work)
    return answer


def asked(name: str, work: Loading) -> Question | None:
    """What was asked last under `name`."""
    noted = work.ledger.mark(_mark(name))
    return Question(**json.loads(noted)) if noted else None


def forget(name: str, work: Loading) -> None:
    """Nothing is asked under `name` any more."""
    if work.ledger.mark(_mark(name)) is not None:
        work.ledger.clear_mark(_mark(name))


def _submit(name: str, question: Question, sql: str, work: Loading) -> None:
    now = work.clock()
    if question.retry_at > stamp(now):
        return
    tries = question.tries + 1
    try:
        statement_id = work.warehouse.ask(sql, name=f"gluebook-{name}")
    except WarehouseBusy as busy:
        _log.warning("%s is asked at the next look: %s", name, busy)
        return
    again = stamp(now + work.backoff.pause(tries, ONCE_A_DAY))
    _note(name, replace(question, tries=tries, retry_at=again, statement_id=statement_id), work)


def _note(name: str, question: Question, work: Loading) -> None:
    work.ledger.set_mark(_mark(name), json.dumps(asdict(question)))


def _mark(name: str) -> str:
    return f"asked:{name}"
