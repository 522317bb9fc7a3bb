"""The quiz platform's servers, a process of their own: clients that post until it is acknowledged.

    python -m tests.torture.clients FOLDER URL

``posts.jsonl`` is what they post, ``tokens.json`` on whose behalf; ``accepted.jsonl`` gets a line for each
answer that was acknowledged, ``doubts.jsonl`` one for each reply that no client should see.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from tests.torture.crowd import Post, read_posts

CLIENTS = 16
PATIENCE = 10.0  # seconds until a client doubts
PAUSES = (0.1, 0.3, 1.0)  # before the identical request goes out again
STORED = (200, 202)


@dataclass
class Clients:
    """Sixteen of them, working off one plan in the order of its moments."""

    url: str
    tokens: dict[str, str]
    accepted: IO[str]
    doubts: IO[str]
    plan: queue.Queue[Post] = field(default_factory=queue.Queue)
    lock: threading.Lock = field(default_factory=threading.Lock)
    begun: float = 0.0

    def run(self, posts: list[Post]) -> None:
        for post in posts:
            self.plan.put(post)
        self.begun = time.monotonic()
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self) -> None:
        while True:
            try:
                post = self.plan.get_nowait()
            except queue.Empty:
                return
            time.sleep(max(0.0, self.begun + post.at - time.monotonic()))
            self._until_stored(post)

    def _until_stored(self, post: Post) -> None:
        """On any doubt the identical request again: timeout, reset, 5xx."""
        body, tries = json.dumps(post.body, ensure_ascii=False).encode(), 0
        while True:
            tries += 1
            status = self._post(post.account, body)
            if status in STORED:
                self._tell(self.accepted, account=post.account, id=post.body["answerID"], tries=tries)
                return
            if status and status < 500:
                self._tell(self.doubts, account=post.account, id=post.body["answerID"], status=status)
                return
            time.sleep(PAUSES[min(tries, len(PAUSES)) - 1])

    def _post(self, account: str, body: bytes) -> int:
        """The status, or 0 where no whole reply came."""
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {self.tokens[account]}", "Content-Type": "application/json"}
        try:
            connection.request("POST", "/answers", body, headers)
            response = connection.getresponse()
            response.read()
            return response.status
        except (OSError, HTTPException):
            return 0
        finally:
            connection.close()

    def _tell(self, file: IO[str], **words: Any) -> None:
        with self.lock:
            file.write(json.dumps(words) + "\n")
            file.flush()


def main(folder: Path, url: str) -> None:
    tokens = json.loads((folder / "tokens.json").read_text())
    with open(folder / "accepted.jsonl", "w") as accepted, open(folder / "doubts.jsonl", "w") as doubts:
        Clients(url, tokens, accepted, doubts).run(read_posts(folder / "posts.jsonl"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
