"""A person's browser: opens pages, presses a form's button, follows redirects. No JavaScript, no cookies."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

from config.demo.errors import DemoFailed
from config.demo.http import Reply, ask

ACCEPT = "text/html,application/xhtml+xml,*/*;q=0.8"
MOST_REDIRECTS = 5


@dataclass
class Form:
    """What pressing its first button would send."""

    action: str = ""
    values: dict[str, str] = field(default_factory=dict)
    pressed: bool = False


class FormReader(HTMLParser):
    """The first form of a page, every field as the page fills it in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.form: Form | None = None
        self.select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form" and self.form is None:
            self.form = Form(said.get("action", ""))
        elif self.form is not None:
            self._take(self.form, tag, said)

    def _take(self, form: Form, tag: str, said: dict[str, str]) -> None:
        if tag == "select":
            self.select = said.get("name", "")
        elif tag == "option" and self.select:
            form.values.setdefault(self.select, said.get("value", ""))  # the first one is chosen
        elif tag == "input" and "name" in said:
            form.values[said["name"]] = said.get("value", "")
        elif tag == "button" and not form.pressed:
            form.pressed = True
            form.values |= {said["name"]: said.get("value", "")} if "name" in said else {}


class Browser:
    """``open`` a link, then ``press`` the button of the form it shows."""

    def __init__(self, language: str = "ru") -> None:
        self.headers = {"Accept": ACCEPT, "Accept-Language": language}

    def open(self, url: str) -> Reply:
        for _ in range(MOST_REDIRECTS):
            reply = ask("GET", url, headers=self.headers)
            if not (300 <= reply.status < 400 and "Location" in reply.headers):
                return reply
            url = urljoin(url, reply.headers["Location"])
        raise DemoFailed(f"{url} redirects without end.")

    def press(self, page: Reply) -> Reply:
        """Send the page's first form with its first button, and go where that leads."""
        form = FormReader(page.text).form
        if form is None:
            raise DemoFailed(f"{page.url} shows no form (status {page.status}).")
        action = urljoin(page.url, form.action)
        headers = {**self.headers, "Content-Type": "application/x-www-form-urlencoded"}
        reply = ask("POST", action, urlencode(form.values).encode(), headers)
        if 300 <= reply.status < 400 and "Location" in reply.headers:
            return self.open(urljoin(action, reply.headers["Location"]))
        return reply
