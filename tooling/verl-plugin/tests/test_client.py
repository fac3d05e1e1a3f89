"""Calls of a server that is away, refuses, or answers late."""

import http.server
import json
import threading
import time

import pytest
from qoq_cluster import calls, client, lines


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers each request by the next of `replies`; the last one counts for all that come after."""

    replies = []
    asked = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        Answers.asked.append((self.path, self.headers.get("authorization"), body))
        reply = Answers.replies.pop(0) if len(Answers.replies) > 1 else Answers.replies[0]
        status, answer = reply(self.path, body) if callable(reply) else reply
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    Answers.asked.clear()
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    monkeypatch.setenv("QOQ_URL", f"http://127.0.0.1:{httpd.server_port}")
    monkeypatch.setenv("QOQ_KEY", "secret")
    monkeypatch.setenv("QOQ_PATIENCE", "20")
    yield httpd
    httpd.shutdown()
    httpd.server_close()


def test_a_call_shows_its_key(server):
    Answers.replies = [(200, {"rows": []})]
    assert client.post("/v1/rewards", {"rows": []}) == {"rows": []}
    assert Answers.asked == [("/v1/rewards", "Bearer secret", {"rows": []})]


@pytest.mark.parametrize("trouble", [(503, {}), (429, {}), (408, {}), (200, b'{"rows": [')])
def test_trouble_that_passes_is_waited_for(server, trouble):
    Answers.replies = [trouble, (200, {"ok": True})]
    assert client.post("/v1/rewards", {}) == {"ok": True}
    assert len(Answers.asked) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
def test_a_refusal_ends_the_job_in_the_words_of_the_server(server, status):
    body = {"error": {"code": "SERVER_KEY_UNKNOWN", "message": "The key is not known.", "hint": "Make one with `qoq keys add`."}}
    Answers.replies = [(status, body)]
    with pytest.raises(client.QoqError) as caught:
        client.post("/v1/rewards", {})
    assert (caught.value.code, caught.value.message) == ("SERVER_KEY_UNKNOWN", "The key is not known.")
    assert len(Answers.asked) == 1


def test_a_server_that_stays_away_is_said_with_what_to_do(monkeypatch):
    monkeypatch.setenv("QOQ_URL", "http://127.0.0.1:9")
    began = time.monotonic()
    with pytest.raises(client.QoqError, match="away for 1 seconds") as caught:
        client.post("/v1/rewards", {}, patience=1)
    assert time.monotonic() - began < 5
    assert "--attach" in caught.value.hint


def test_a_server_that_comes_back_is_taken_up_again(server, monkeypatch):
    port = server.server_port
    server.shutdown()
    server.server_close()
    Answers.replies = [(200, {"ok": True})]

    def again():
        time.sleep(1)
        httpd = http.server.ThreadingHTTPServer(("127.0.0.1", port), Answers)
        httpd.handle_request()
        httpd.server_close()

    thread = threading.Thread(target=again)
    thread.start()
    assert client.post("/v1/rewards", {}) == {"ok": True}
    thread.join()


def test_rewards_are_asked_in_parts_and_kept_in_their_order(server):
    Answers.replies = [lambda _, body: (200, {"rows": [{"id": row["id"], "score": row["id"] / 2, "parts": {}} for row in body["rows"]]})]
    rows = [{"id": i, "response": ""} for i in range(600)]
    assert [one["score"] for one in calls.rewards(rows, {"preset": "paper"})] == [i / 2 for i in range(600)]
    assert [len(body["rows"]) for _, _, body in Answers.asked] == [256, 256, 88]
    assert all(body["preset"] == "paper" for _, _, body in Answers.asked)


def test_an_answer_of_another_length_ends_the_job(server):
    Answers.replies = [(200, {"rows": [], "advantages": [1]})]
    with pytest.raises(client.QoqError, match="scored 0 of 1"):
        calls.rewards([{"id": 0}], {})
    with pytest.raises(client.QoqError, match="1 advantages for 2"):
        calls.advantages({"rewards": [0, 1]}, {})


def test_lines_hold_no_number_that_is_none(capsys):
    lines.step({"step": 1, "loss": float("nan"), "parts": {"a": [float("inf"), 1.5]}})
    line = capsys.readouterr().out
    assert line.startswith("QOQ_STEP ")
    assert json.loads(line.removeprefix("QOQ_STEP ")) == {"step": 1, "loss": None, "parts": {"a": [None, 1.5]}}


def test_an_error_of_ours_travels_between_processes():
    import pickle

    error = pickle.loads(pickle.dumps(client.QoqError("A", "It is so.", "Do that.")))
    assert (error.code, error.message, error.hint) == ("A", "It is so.", "Do that.")
