"""`ictagent collector device`: keys with their state and end; revoked by id or host name, at once."""

from tests.collector.commands.conftest import Installation


def test_the_list_shows_state_and_end_of_every_key_and_no_secret(installation: Installation) -> None:
    listed = installation.json("collector", "device", "list")
    assert {one["host_name"] for one in listed} == set(installation.hosts)
    assert {one["state"] for one in listed} == {"good"}
    assert {round((one["expires_at"] - one["created_at"]) / 86_400) for one in listed} == {365}
    table = installation.done("collector", "device", "list")
    for host in installation.hosts.values():
        identifier, secret = host.key.split(".")
        assert identifier in table
        assert host.device_id in table
        assert secret not in table


def test_a_revoked_device_is_refused_at_its_next_request(installation: Installation) -> None:
    web, database = installation.hosts["web01"], installation.hosts["db01"]

    def asks(key: str) -> int:
        headers = {"Authorization": f"Bearer {key}"}
        return installation.served.client.get("/v1/whoami", headers=headers).status_code

    assert (asks(web.key), asks(database.key)) == (200, 200)
    said = installation.done("collector", "device", "revoke", "web01", "--reason", "stolen")
    assert said == f"revoked of device {web.device_id}: key {web.key.partition('.')[0]}\n"
    assert (asks(web.key), asks(database.key)) == (401, 200)
    [row] = [one for one in installation.json("collector", "device", "list") if one["host_name"] == "web01"]
    assert (row["state"], row["reason"]) == ("revoked", "stolen")
    detail = {"key": web.key.partition(".")[0], "reason": "stolen"}
    assert [act[1:] for act in installation.audited()][-1] == ("key.revoke", web.device_id, detail)
    assert "device list" in installation.refused("collector", "device", "revoke", web.device_id)
    assert "there is no device" in installation.refused("collector", "device", "revoke", "nobody")


def test_an_empty_list_says_how_a_host_is_enrolled(bare: Installation) -> None:
    result = bare.run("collector", "device", "list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "token create" in result.stderr


def test_a_tokens_space_is_shown_and_a_wrong_one_refused(bare: Installation) -> None:
    options = ["--label", "a", "--site", "Hall", "--space", "Room 1"]
    assert "there is no space Room 1 at Hall" in bare.refused("collector", "token", "create", *options)
    bare.done("collector", "token", "create", *options, "--space-kind", "data_room")
    [row] = [one for one in bare.json("collector", "token", "list") if one["label"] == "a"]
    assert (row["site"], row["space"]) == ("Hall", "Room 1")
