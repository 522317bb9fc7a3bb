"""Who answers when: a seeded plan of posts, some people more than once, some clicks doubled."""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from config.openapi.quiz import answer, person

TWICE = 0.05  # of the people answer a second time, every other of them at the same moment
AGAIN, MOST_TIMES = 0.35, 4  # of the people, where that makes no second lead; and so often in all
FLOOD, FLOOD_SECONDS = 0.1, 1.0  # of the answers are one account's, within a second
HOSTILE = 0.02  # of the answers try to break whoever reads them
TEXTS = (
    "eyJ-" * 5000,  # as long as a visitor may, of what looks like the beginning of a token
    "a@" * 4000,
    "https://" * 2000,
    "\u202e\u200b\ufeff right to left",
    "<script>alert(1)</script>{{7*7}}${7*7}",
    "'; DROP TABLE rules_answer; --",
    "=cmd|' /C calc'!A0",
    "💥" * 500,
    "\r\nSet-Cookie: a=b\r\n%00%0d%0a",
)
DOUBLE_CLICKS = 0.01  # of the answers are posted by two clients at once
REPAIRS = ("Косметический", "Капитальный", "Дизайнерский")


@dataclass(frozen=True)
class Post:
    """One answer to be posted ``at`` seconds after the start, on behalf of a quiz account."""

    at: float
    account: str
    body: dict[str, Any]

    @property
    def key(self) -> tuple[str, str]:
        return self.account, str(self.body["answerID"])


def plan_posts(
    answers: int, accounts: Sequence[str], seconds: float, seed: int, returning: Collection[str] = ()
) -> list[Post]:
    """``answers`` different answers spread over ``seconds``; doubled clicks come on top. People of
    ``returning`` accounts come back more often."""
    dice = random.Random(f"crowd {seed}")
    posts = list(_answers(answers, accounts, seconds, dice, returning))
    posts += [post for post in posts if dice.random() < DOUBLE_CLICKS]
    return sorted(posts, key=lambda post: post.at)


def _answers(
    answers: int, accounts: Sequence[str], seconds: float, dice: random.Random, returning: Collection[str]
) -> Iterator[Post]:
    number = 0
    while number < answers:
        number += 1
        who, account, at = _somebody(number, dice), dice.choice(accounts), dice.uniform(0, seconds)
        if number <= FLOOD * answers:
            account, at = accounts[0], dice.uniform(seconds / 2, seconds / 2 + FLOOD_SECONDS)
        yield Post(at, account, _body(number, who, dice))
        chance, most = (AGAIN, MOST_TIMES) if account in returning else (TWICE, 2)
        for _ in range(1, most):
            if number == answers or dice.random() >= chance:
                break
            number += 1
            again = at if dice.random() < 0.5 else dice.uniform(at, seconds)
            yield Post(again, account, _body(number, who, dice))


def _somebody(number: int, dice: random.Random) -> dict[str, str]:
    """A phone that nobody else has; some give an e-mail, too, some a company."""
    more = {"email": f"person{number}@mail.example"} if dice.random() < 0.3 else {}
    more |= {"company": f"ООО «Ромашка {number}»"} if dice.random() < 0.1 else {}
    return person(f"Анна {number}", f"+7999{number:07d}", **more)


def _body(number: int, who: dict[str, str], dice: random.Random) -> dict[str, Any]:
    given = {
        "area": dice.randrange(20, 200),
        "repair": dice.choice(REPAIRS),
        "place": f"Москва, дом {number}{f' {dice.choice(TEXTS)}' if dice.random() < HOSTILE else ''}",
    }
    return {**answer(number, who, **given), "answerID": f"torture-{number}"}


def write_posts(posts: Sequence[Post], path: Path) -> None:
    path.write_text("\n".join(json.dumps(asdict(post), ensure_ascii=False) for post in posts))


def read_posts(path: Path) -> list[Post]:
    return [Post(**json.loads(line)) for line in path.read_text().splitlines()]
