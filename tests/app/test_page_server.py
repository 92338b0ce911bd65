"""The page's server, worker and command line: who is answered, what is said, and what is refused before anything runs."""

import asyncio
import json
import socket
from multiprocessing import Pipe

from pytest import fixture, mark, raises
from starlette.datastructures import Headers

from analysis.app import exporting, main, parse, running, server
from analysis.app.catalog import catalog, lessons
from analysis.app.worker import Worker
from sim.compose import resolve

SMALL = ["size=class", "horizon_years=1", "sim.build.burn_in=6"]


class NoSessions:
    """A server needs some; none is begun here."""

    most = 1

    def close(self):
        pass


def answer(path: str, **headers: str) -> tuple[int, bytes]:
    """Status and body of a GET."""
    app = server.application(NoSessions(), {"lessons": []}, "127.0.0.1")
    sent, asked = [], [{"type": "http.request", "body": b"", "more_body": False}]

    async def get():
        async def receive():
            return asked.pop() if asked else await asyncio.Event().wait()

        async def send(message):
            sent.append(message)

        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": pairs}
        await app({**scope, "root_path": "", "scheme": "http", "http_version": "1.1", "asgi": {"version": "3.0"}}, receive, send)

    asyncio.run(get())
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def test_the_page_and_its_catalog_are_served():
    assert answer("/", host="127.0.0.1:8765")[0] == 200
    assert answer("/data/catalog.js", host="localhost:8765")[1].startswith(b"caploop.catalog = {")


@mark.parametrize("path", ["/", "/data/catalog.js", "/economy", "/nowhere"])
def test_another_host_is_refused_whatever_it_asks_for(path):
    assert answer(path, host="evil.example:8765")[0] == 403


@mark.parametrize("path", ["/../server.py", "/%2e%2e/server.py", "/..%2f..%2fchanges.yaml"])
def test_nothing_beside_the_page_is_served(path):
    assert answer(path, host="127.0.0.1:8765")[0] == 404


@mark.parametrize(
    ("host", "origin", "friend"),
    [
        ("127.0.0.1:8765", None, True),
        ("127.0.0.1:8765", "http://127.0.0.1:8765", True),
        ("localhost:8765", "http://localhost:8765", True),
        ("[::1]:8765", "http://[::1]:8765", True),
        ("127.0.0.1:8765", "http://127.0.0.1:9999", False),
        ("127.0.0.1:8765", "http://evil.example", False),
        ("127.0.0.1:8765", "https://127.0.0.1:8765", False),
        ("127.0.0.1:8765", "null", False),
        ("evil.example", None, False),
        ("127.0.0.1.evil.example:8765", None, False),
        ("127.0.0.1@evil.example", None, False),
        ("127.0.0.1:port", None, False),
        ("", None, False),
    ],
)
def test_host_and_origin_must_be_the_servers_own(host, origin, friend):
    headers = {"host": host} | ({} if origin is None else {"origin": origin})
    assert server.friendly(Headers(headers), server.hosts("127.0.0.1")) == friend


@mark.parametrize(
    "text",
    [
        "",
        "3",
        "[]",
        "{",
        '{"do": "want"}',
        '{"do": "want", "to": "x"}',
        '{"do": "run"}',
        '{"do": "reset"}',
        "x" * 2**17,
        "[" * 60_000,
    ],
)
def test_what_is_no_request_is_not_heard(text):
    assert server.read(text) is None


def test_a_request_is_heard():
    assert server.read('{"do": "want", "to": 12}') == {"id": 0, "do": "want", "to": 12}


# -- the worker --------------------------------------------------------------------------------------------------------


class Talk:
    """A worker, driven by hand in place of its loop."""

    def __init__(self):
        self.pipe, theirs = Pipe()
        self.worker = Worker(theirs, SMALL)

    def ask(self, **request):
        """What is said until there is nothing left to do; rows joined by future."""
        self.worker.answer({"id": 1, **request})
        while late := self.worker.late():
            self.worker.advance(late)
        said = []
        while self.pipe.poll():
            said.append(self.pipe.recv())
        return said


@fixture
def talk():
    return Talk()


def months(said, future):
    return [row["month"] for message in said if message.get("future") == future for row in message["rows"]]


CUT = {"month": 3, "kind": "cut", "name": "cobweb"}


def test_the_worker_lives_what_is_wanted_and_no_more(talk):
    assert months(talk.ask(do="want", to=4), "history") == [0, 1, 2, 3]
    assert months(talk.ask(do="want", to=99), "history") == list(range(4, 12))


def test_a_change_is_made_and_then_both_futures_come(talk):
    talk.ask(do="want", to=5)
    said = talk.ask(do="change", changes=[CUT])
    assert said[0] == {"do": "made", "id": 1, "first": 3}
    assert months(said, "what_if") == [3, 4] and json.dumps(said)


def test_a_page_that_comes_back_gets_all_again(talk):
    talk.ask(do="want", to=5)
    talk.ask(do="change", changes=[CUT])
    said = talk.ask(do="again")
    assert months(said, "history") == [0, 1, 2, 3, 4] and months(said, "what_if") == [3, 4]


def test_a_refused_change_leaves_the_futures_as_they_were(talk):
    talk.ask(do="want", to=5)
    talk.ask(do="change", changes=[CUT])
    said = talk.ask(do="change", changes=[{**CUT, "name": "moon"}])
    assert [message["do"] for message in said] == ["refused"] and "no arrow moon" in said[0]["text"]
    assert months(talk.ask(do="want", to=6), "what_if") == [5]


def test_undoing_all_leaves_the_history_alone(talk):
    talk.ask(do="want", to=5)
    talk.ask(do="change", changes=[CUT])
    talk.ask(do="change", changes=[])
    assert set(talk.worker.shown) == {"history"}


def test_other_luck_is_another_history_and_the_same_again_with_its_seed(talk):
    first = talk.ask(do="want", to=2)
    said = talk.ask(do="reset", seed=9)
    assert said == [{"do": "begun", "id": 1, "seed": 9}]
    other = talk.ask(do="want", to=2)
    assert other != first
    talk.ask(do="reset", seed=talk.worker.futures.params.seed - 8)
    assert talk.ask(do="want", to=2) == first


def test_an_economy_that_breaks_says_so_and_can_be_left(talk, monkeypatch):
    """Whatever a month may raise becomes a sentence; without the change the history goes on."""
    talk.ask(do="want", to=3)
    talk.ask(do="change", changes=[CUT])
    monkeypatch.setattr(talk.worker.shown["what_if"], "step", lambda: 1 / 0)
    said = talk.ask(do="want", to=6)
    assert said[-1]["do"] == "refused" and "division by zero" in said[-1]["text"] and "Undo" in said[-1]["text"]
    talk.ask(do="change", changes=[])
    assert months(talk.ask(do="want", to=6), "history")[-1] == 5


# -- the command -------------------------------------------------------------------------------------------------------


@mark.parametrize(
    ("line", "words"),
    [
        (["--port", "70000"], "0 to 65535"),
        (["--sessions", "0"], "1 or more"),
        (["--at", "24,x"], "--at: invalid months value"),
        (["scenario=nowhere"], "no such scenario"),
        (["sim.arrows.cobweb.gain=0"], "cuts arrows itself"),
        (["--export", "."], "is there already"),
    ],
)
def test_a_wrong_command_is_refused_with_the_way_out(line, words, capsys):
    try:
        code = main(line)
    except SystemExit as stopped:
        code = stopped.code
    assert code == 2 and words in capsys.readouterr().err


def test_a_taken_port_is_named(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--port", str(port), "--no-browser"]) == 2
    assert f"Port {port} of 127.0.0.1 cannot be had" in capsys.readouterr().err


def test_only_loopback_is_bound_unless_another_address_is_asked_for():
    with running.listen("127.0.0.1", range(1)) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
    assert server.hosts("127.0.0.1") == frozenset(server.LOOPBACK)
    assert socket.gethostname().lower() in server.hosts("0.0.0.0")


# -- the folder --------------------------------------------------------------------------------------------------------


def test_computed_runs_are_those_that_the_live_page_would_show():
    """The same rows, from the month of the change on."""
    params = resolve(SMALL)
    change = next(change for change in exporting.offered([3]) if change.name == "cobweb")
    exporting.begin(params)
    name, script = exporting.one(change)
    assert name == "cut-cobweb-3" and script.startswith('caploop.runs["cut-cobweb-3"] = [')
    talk = Talk()
    talk.ask(do="want", to=12)
    said = talk.ask(do="change", changes=[change.model_dump()])
    rows = [row for message in said if message["do"] == "rows" and message["future"] == "what_if" for row in message["rows"]]
    assert json.loads(script.partition(" = ")[2].rstrip(";\n")) == json.loads(json.dumps(rows))


def test_every_lesson_is_computed_at_each_month_of_the_folder():
    months = parse([]).at
    offered = {(change.kind, change.name) for change in exporting.offered(months)}
    for lesson in lessons():
        change = lesson["steps"][1]["do"]["change"]
        assert (change["kind"], change["name"]) in offered and lesson["steps"][0]["do"]["play"] in months


def test_a_folder_that_is_there_is_left_alone(tmp_path):
    (tmp_path / "site").mkdir()
    with raises(exporting.Occupied, match="is there already"):
        exporting.write(tmp_path / "site", resolve(SMALL), [3])
    assert list((tmp_path / "site").iterdir()) == []


def test_the_catalog_is_plain_data_that_names_what_lessons_use():
    found = json.loads(json.dumps(catalog(resolve(SMALL))))
    for lesson in found["lessons"]:
        for line in [*lesson["answer"], lesson["verdict"]["left"], lesson["verdict"]["right"]]:
            assert f"{line.get('region', lesson['region'])}.{line['column']}" in found["fields"]
        assert lesson["verdict"].keys() >= {"less", "same", "more"} and lesson["options"].keys() == {"less", "same", "more"}
        assert [next(iter(step["do"])) for step in lesson["steps"]] == ["play", "change", "play"]
