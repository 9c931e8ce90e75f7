"""Results that are made anew in place: what stays, what goes, and who may ask for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra server")

from server_tools import (
    another,
    app_client,
    create,
    files_of,
    job_ends,
    picture,
    register,
    unique,
    wait_until,
)

SOON = {"Prefer": "respond-async"}
FAILS, TAKES_LONG = {"height_cm": 61}, {"height_cm": 62}


@pytest.fixture
def made(client: Any) -> dict[str, Any]:
    """A result of somebody's."""
    register(client, unique())
    answer = create(client, picture(), name="Anna")
    assert answer.status_code == 201, answer.text
    return answer.json()


def address(made: dict[str, Any]) -> str:
    return f"/api/v1/reconstructions/{made['id']}"


def results_of(data: Path) -> set[str]:
    return {path.split("/")[2] for path in files_of(data) if path.startswith("files/results/")}


def test_files_take_the_place_of_the_earlier_ones(
    client: Any, made: dict[str, Any], tmp_path: Path
) -> None:
    old = client.get(made["files"]["photo"]).content
    first = results_of(tmp_path / "data")
    answer = client.patch(address(made), json={"height_cm": 165})
    assert answer.status_code == 200, answer.text
    corrected = answer.json()
    assert corrected["options"]["height_cm"] == 165
    assert client.get(corrected["files"]["photo"]).content != old
    wait_until(lambda: len(results_of(tmp_path / "data")) == 1)
    assert results_of(tmp_path / "data") != first
    # Its summary and its job know it, too.
    (summary,) = client.get("/api/v1/reconstructions").json()["items"]
    assert summary["files"]["thumbnail"].endswith("?v=1")
    assert client.get("/api/v1/jobs").json()["items"][0]["replaces"] == made["id"]
    # Once more, from the photograph of the corrected result.
    again = client.patch(address(made), json={"height_cm": None}).json()
    assert again["options"]["height_cm"] is None
    assert again["files"]["photo"].endswith("?v=2")


def test_one_that_fails_leaves_the_result_as_it_is(client: Any, made: dict[str, Any]) -> None:
    old = client.get(made["files"]["photo"]).content
    answer = client.patch(address(made), json=FAILS)
    assert (answer.status_code, answer.json()["code"]) == (422, "nobody-found")
    kept = client.get(address(made)).json()
    assert kept == made
    assert client.get(kept["files"]["photo"]).content == old
    assert client.patch(address(made), json={"height_cm": 165}).status_code == 200


def test_the_latest_counts(client: Any, made: dict[str, Any]) -> None:
    first = client.patch(address(made), json=TAKES_LONG, headers=SOON)
    assert first.status_code == 202
    wait_until(lambda: client.get(f"/api/v1/jobs/{first.json()['id']}").json()["stage"])
    waiting = client.patch(address(made), json={"height_cm": 170}, headers=SOON).json()
    last = client.patch(address(made), json={"height_cm": 180}, headers=SOON).json()
    assert job_ends(client, last["id"])["state"] == "succeeded"
    for given_up in (first.json(), waiting):
        assert job_ends(client, given_up["id"])["state"] == "cancelled"
    assert client.get(address(made)).json()["options"]["height_cm"] == 180


def test_deleting_the_result_ends_its_correction(
    client: Any, made: dict[str, Any], tmp_path: Path
) -> None:
    job = client.patch(address(made), json=TAKES_LONG, headers=SOON).json()
    wait_until(lambda: client.get(f"/api/v1/jobs/{job['id']}").json()["stage"])
    assert client.delete(address(made)).status_code == 204
    assert job_ends(client, job["id"])["state"] == "cancelled"
    wait_until(lambda: not results_of(tmp_path / "data"))
    assert client.get("/api/v1/reconstructions").json()["total"] == 0


def test_a_full_account_can_correct(tmp_path: Path) -> None:
    with app_client(tmp_path / "data", quota_reconstructions=1) as client:
        register(client)
        made = create(client, picture()).json()
        assert create(client, picture()).json()["code"] == "quota-exceeded"
        assert client.patch(address(made), json={"height_cm": 165}).status_code == 200


def test_what_cannot_be_is_refused(client: Any, made: dict[str, Any]) -> None:
    for body, said in (
        ({}, "give name, hints or height_cm"),
        ({"name": None}, "give name, hints or height_cm"),
        ({"height_cm": 4}, "40"),
        ({"hints": {"people": {"1": {"height_cm": 400}}}}, "400 cm cannot be a person's"),
        ({"hints": {"persons": {}}}, "people"),
    ):
        answer = client.patch(address(made), json=body)
        assert answer.status_code == 422, body
        assert said in answer.json()["errors"][0]["detail"]
    stranger = another(client)
    register(stranger, unique())
    assert stranger.patch(address(made), json={"height_cm": 165}).status_code == 404
    assert client.get(address(made)).json() == made
