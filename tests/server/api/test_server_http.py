"""What holds for every request: errors, headers, hosts, origins, sizes, health, the page."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra server")

from server_tools import PASSWORD, another, app_client, create, picture, register, unique
from vitruvian.server.files.page import POLICY, Page

PROBLEM = {"type", "title", "status", "code", "detail", "errors"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/api/v1/nothing", None, 404, "not-found"),
        ("GET", "/api", None, 404, "not-found"),
        ("DELETE", "/api/v1/config", None, 405, "method-not-allowed"),
        ("POST", "/healthz", None, 405, "method-not-allowed"),
        ("POST", "/api/v1/sessions", b"{", 400, "bad-request"),
        ("POST", "/api/v1/sessions", b"[]", 422, "validation"),
        ("POST", "/api/v1/sessions", b'{"name": "anna"}', 422, "validation"),
        ("POST", "/api/v1/sessions", b'{"name": 1, "password": {}}', 422, "validation"),
        ("POST", "/api/v1/accounts", b'{"name":"a\\u0000b","password":"x"}', 422, "validation"),
        ("POST", "/api/v1/accounts", b'{"name":"abc","password":"\\ud800"}', 422, "validation"),
        (
            "POST",
            "/api/v1/sessions",
            b'{"name":"anna","password":"x","admin":1}',
            422,
            "validation",
        ),
        ("POST", "/api/v1/sessions", b"x" * 70_000, 413, "too-large"),
        ("GET", "/api/v1/account", None, 401, "not-authenticated"),
        ("GET", "/api/v1/shared/nonsense", None, 404, "not-found"),
        ("GET", "/api/v1/shared/%C3%A4" + "a" * 60, None, 404, "not-found"),
        ("GET", "/api/v1/samples/..%2f..", None, 404, "not-found"),
        ("POST", "/Upload", None, 415, "unsupported-media-type"),
    ],
)
def test_errors_have_one_shape(
    visitor: Any, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    headers = {"Content-Type": "application/json"} if body else {}
    answer = visitor.request(method, path, content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) == PROBLEM
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["detail"].endswith(".")
    assert problem["type"] == f"/problems/{code}"
    if status == 405:
        assert "GET" in answer.headers["allow"] or "POST" in answer.headers["allow"]
    if code == "validation":
        assert problem["errors"][0]["field"]


def test_headers(visitor: Any) -> None:
    for path in ("/api/v1/config", "/api/v1/nothing", "/", "/healthz"):
        headers = visitor.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "camera=(self)" in headers["permissions-policy"]
        assert headers["x-request-id"]
        assert "server" not in headers
    assert visitor.get("/api/v1/session").headers["cache-control"] == "no-store"


def test_head_is_get_without_a_body(visitor: Any) -> None:
    register(visitor, unique())
    made = create(visitor, picture()).json()
    for path in ("/healthz", "/api/v1/config", made["files"]["scene"], "/api/v1/nothing"):
        get, head = visitor.get(path), visitor.head(path)
        assert head.status_code == get.status_code
        assert head.content == b""
        assert head.headers["content-length"] == str(len(get.content))
    assert visitor.head("/api/v1/jobs/x/events").status_code == 405


def test_other_hosts_and_sites(client: Any) -> None:
    assert client.get("/api/v1/config", headers={"Host": "evil.example"}).status_code == 400
    assert client.get("/api/v1/config", headers={"Host": "[::1"}).status_code == 400
    assert client.get("/api/v1/config", headers={"Host": "localhost:8000"}).status_code == 200
    register(client)
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://[::1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        answer = client.delete("/api/v1/session", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert create(client, picture(), headers=dict(headers)).status_code == 403
    for headers in ({"Origin": "http://127.0.0.1"}, {"Sec-Fetch-Site": "same-origin"}):
        assert create(client, picture(), headers=dict(headers)).status_code == 201
    # Reading from elsewhere shows nothing: no CORS header is ever sent.
    answer = client.get("/api/v1/session", headers={"Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_body_size_is_capped_while_it_is_read(tmp_path: Path) -> None:
    read = 0

    def endless() -> Any:
        nonlocal read
        yield b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
        while read < 50 * 2**20:
            read += 2**16
            yield bytes(2**16)

    with app_client(tmp_path / "data", max_upload_mb=1) as client:
        register(client)
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        answer = client.post("/api/v1/reconstructions", content=endless(), headers=kind)
        assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
        declared = client.post(
            "/Upload", content=b"x", headers=kind | {"Content-Length": str(2**30)}
        )
        assert declared.json()["code"] == "too-large"
        just = b"\xff\xd8\xff" + bytes(2**20 - 3 - 6) + b"#quick"
        assert create(client, just).status_code == 201
        assert create(client, just + b" ").json()["code"] == "too-large"


@pytest.mark.parametrize(
    ("data", "files", "code"),
    [
        ({}, {}, "unsupported-media-type"),
        ({}, {"other": b"x"}, "validation"),
        ({"height_cm": "nan"}, {"image": picture()}, "validation"),
        ({"height_cm": "1000"}, {"image": picture()}, "validation"),
        ({"max_people": "1.5"}, {"image": picture()}, "validation"),
        ({"detail": "perfect"}, {"image": picture()}, "validation"),
        ({"name": "x" * 121}, {"image": picture()}, "validation"),
        ({"name": "a\x07b"}, {"image": picture()}, "validation"),
        ({"colour": "red"}, {"image": picture()}, "validation"),
        ({"name": ["a", "b"]}, {"image": picture()}, "validation"),
        ({"name": "x" * 20_000}, {"image": picture()}, "bad-request"),
        ({f"f{n}": "x" for n in range(20)}, {"image": picture()}, "bad-request"),
    ],
)
def test_bad_forms(visitor: Any, data: Any, files: Any, code: str) -> None:
    register(visitor, unique())
    answer = visitor.post("/api/v1/reconstructions", data=data, files=files)
    assert answer.json()["code"] == code, answer.text
    assert 400 <= answer.status_code < 500


def test_damaged_multipart(visitor: Any) -> None:
    for content in (
        b"",
        b"--y\r\n\r\n",
        b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--",
    ):
        answer = visitor.post(
            "/Upload",
            content=content,
            headers={"Content-Type": "multipart/form-data; boundary=x"},
        )
        assert 400 <= answer.status_code < 500
        assert set(answer.json()) == PROBLEM


def test_names_of_files_are_never_used(client: Any, tmp_path: Path) -> None:
    register(client)
    name = "../../../../tmp/evil\u202e.php"
    answer = client.post("/api/v1/reconstructions", files={"image": (name, picture())})
    assert answer.status_code == 201
    assert "evil" not in answer.text
    assert not [path for path in tmp_path.rglob("*") if "evil" in path.name]


def test_paths_of_files(visitor: Any) -> None:
    register(visitor, unique())
    made = create(visitor, picture()).json()
    base = f"/api/v1/reconstructions/{made['id']}/files"
    for path in (
        "../../../secret.key",
        "..%2f..%2f..%2fsecret.key",
        "%2e%2e/%2e%2e/secret.key",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "person-1",
        "person-1/",
        "photo.jpg%00",
        "person-2/mesh.zip",
        "",
    ):
        answer = visitor.get(f"{base}/{path}")
        assert answer.status_code == 404, path
    assert visitor.get(f"{base}/person-1/mesh.obj").status_code == 200


def test_health_and_metrics(client: Any) -> None:
    from server_tools import wait_until

    assert client.get("/healthz").json() == {"detail": "alive"}
    wait_until(lambda: client.get("/readyz").status_code == 200)
    register(client)
    create(client, picture())
    create(client, picture("fail"))
    text = client.get("/metrics").text
    assert 'vitruvian_jobs_ended{state="succeeded"} 1.0' in text
    assert 'vitruvian_jobs_ended{state="failed"} 1.0' in text
    assert 'vitruvian_uploads_total{outcome="accepted"} 2.0' in text
    assert 'vitruvian_workers{state="warm"} 1.0' in text
    route = 'method="POST",route="/api/v1/reconstructions",status="201"'
    assert f"vitruvian_http_requests_total{{{route}}} 1.0" in text
    assert "anna" not in text


def test_metrics_are_for_this_machine(visitor: Any) -> None:
    from fastapi.testclient import TestClient

    far = TestClient(visitor.app, base_url="http://127.0.0.1", client=("203.0.113.7", 5000))
    assert far.get("/metrics").status_code == 404


def test_not_ready_without_a_warm_worker(tmp_path: Path) -> None:
    import sys

    with app_client(tmp_path / "data", (sys.executable, "-c", "input()")) as client:
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert client.get("/healthz").status_code == 200


def test_without_a_page(tmp_path: Path) -> None:
    answer = Page(tmp_path / "absent").answer(_Request("/"))  # type: ignore[arg-type]
    assert answer.status_code == 503
    assert b"make serve" in bytes(answer.body)


class _Request:
    """As much of a request as the page reads."""

    def __init__(self, path: str, **headers: str) -> None:
        self.url = type("Url", (), {"path": path})
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def test_the_page(tmp_path: Path) -> None:
    folder = tmp_path / "page"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>V</title>")
    (folder / "assets" / "main-1a2b.js").write_text("let a = 1\n" * 100)
    (tmp_path / "secret").write_text("x")
    page = Page(folder)

    def get(path: str, **headers: str) -> Any:
        return page.answer(_Request(path, **headers))  # type: ignore[arg-type]

    for path in ("/", "/history", "/r/abc", "/s/token"):
        answer = get(path)
        assert answer.status_code == 200
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["cache-control"] == "no-cache"
    script = get("/assets/main-1a2b.js", accept_encoding="gzip")
    assert script.headers["content-type"].startswith("text/javascript")
    assert "immutable" in script.headers["cache-control"]
    assert gzip.decompress(script.body).startswith(b"let a")
    again = get("/assets/main-1a2b.js", if_none_match=script.headers["etag"])
    assert again.status_code == 304
    for path in ("/assets/gone.js", "/../secret", "/assets/../../secret", "/favicon.ico"):
        answer = get(path)
        assert answer.status_code == 404 or b"<title>V" in answer.body
        assert answer.body != b"x"


def test_openapi(visitor: Any) -> None:
    description = visitor.get("/api/v1/openapi.json").json()
    assert description["openapi"].startswith("3.1")
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            for status, answer in operation["responses"].items():
                if status[0] in "45":
                    assert list(answer["content"]) == ["application/problem+json"], (method, path)
    form = description["paths"]["/Upload"]["post"]["requestBody"]["content"]
    assert form["multipart/form-data"]["schema"]["required"] == ["image"]
    assert "HTTPValidationError" not in description["components"]["schemas"]


def test_a_bug_is_a_problem_and_tells_nothing(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from vitruvian.server.api.routes import system

    def broken() -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(system, "stage_views", broken)
    answer = client.get("/api/v1/config")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert another(client).get("/healthz").status_code == 200
    assert PASSWORD not in answer.text


def test_an_upload_that_stands_still_is_given_up(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    from vitruvian.server.api import bodies

    monkeypatch.setattr(bodies, "_CHUNK_SECONDS", 0.2)
    sent: list[Any] = []
    first = [{"type": "http.request", "body": b"--x\r\n", "more_body": True}]

    async def receive() -> Any:
        if first:
            return first.pop()
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"content-type", b"multipart/form-data; boundary=x")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/Upload",
        "raw_path": b"/Upload",
        "query_string": b"",
        "headers": headers,
        "scheme": "http",
        "client": ("127.0.0.1", 5000),
        "server": ("127.0.0.1", 80),
    }
    client.portal.call(client.app, scope, receive, send)
    assert sent[0]["status"] == 408
    assert b"The upload stopped" in sent[1]["body"]


def test_workers_do_not_inherit_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import json
    import sys

    from vitruvian.server.jobs.process import PoolOptions, WorkerProcess

    for name in ("VITRUVIAN_SERVER_SECRET", "PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "S3_TOKEN"):
        monkeypatch.setenv(name, "hidden")
    monkeypatch.setenv("NUMBA_CACHE_DIR", "kept")
    program = (
        "import json, os; print(json.dumps({'is': 'ready', **os.environ}), flush=True); input()"
    )
    options = PoolOptions(1, 1, 0, 1, 1.0, tmp_path, (sys.executable, "-c", program))
    worker = WorkerProcess(options)
    try:
        answer = worker.hear(20)
        assert answer is not None
        assert "hidden" not in json.dumps(answer)
        assert answer["NUMBA_CACHE_DIR"] == "kept"
    finally:
        worker.end()
