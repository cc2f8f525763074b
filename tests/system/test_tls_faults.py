"""TLS that is wrong: refused with its reason and what to do, nothing said before, and it goes on when it is mended."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.servers.ictagent import AgentProgram, ictagent
from tests.servers.process import wait_until
from tests.servers.tls_server import KEY, Authority, TlsServer, only_old_tls, tls_server

Keep = Callable[[Any], Any]
TOKEN = "0123456789abcdef.the-token-of-the-council"
TRUST = "is not trusted: "
WORDS = {
    "expired": TRUST + "it has expired; renew it on the collector",
    "early": TRUST + "it is not valid yet; wait until it is, and see that this host's clock is right",
    "name": TRUST + "it is for another address; write `collector` with a name or address that is in it",
    "authority": TRUST + "its authority is not known here",
    "itself": TRUST + "it is signed by itself; set `ca` to that certificate",
    "plain": "does not speak TLS: correct the port of `collector`",
    "old": "speaks only a TLS older than 1.2",
}


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1 is deprecated")
def test_wrong_tls_is_refused_with_its_reason_before_anything_is_sent_and_goes_on_when_it_is_mended(
    keep: Keep, tmp_path: Path
) -> None:
    """One agent for each kind of wrong, side by side; half of them have a token, half a key already."""
    council = Authority(tmp_path / "council")
    stranger = Authority(tmp_path / "stranger", "stranger")
    contexts = {
        "expired": council.server(days=(-10, -1)),
        "early": council.server(days=(1, 10)),
        "name": council.server(address="192.0.2.7"),
        "authority": stranger.server(),
        "itself": council.server(self_signed=True),
        "plain": None,
        "old": only_old_tls(council.server()),
    }
    agents: dict[str, AgentProgram] = {}
    servers: dict[str, TlsServer] = {}
    with ExitStack() as held:
        for at, (kind, context) in enumerate(contexts.items()):
            server = servers[kind] = held.enter_context(tls_server(context))
            url = f"https://127.0.0.1:{server.port}"
            agent = agents[kind] = keep(AgentProgram(tmp_path / kind, url, TOKEN, {"ICTAGENT_CA": str(council.pem)}))
            if at % 2:
                agent.state_directory.mkdir()
                (agent.state_directory / "key").write_text(KEY["key"])
            agent.begin()
        for kind, agent in agents.items():
            agent.wait_said(WORDS[kind])
            wait_until(lambda: servers[kind].refused and len(agent.spooled) >= 2, f"reports kept: {kind}")  # noqa: B023  # waited for here
            shown = ictagent("status", "--output", "json", "--state-directory", str(agent.state_directory))
            assert shown.returncode == 1, shown.stdout
            status = json.loads(shown.stdout)
            assert WORDS[kind] in status["finding"], kind
            assert WORDS[kind] in status["agent"]["last_problem"], kind
            assert "reports are kept" in agent.said
            assert servers[kind].heard == b"", "nothing was sent"
            for secret in (TOKEN.partition(".")[2], KEY["key"].partition(".")[2]):
                assert secret.encode() not in servers[kind].clear
        # The certificate is renewed, the address given to the right server, the server brought up to date.
        for server in servers.values():
            server.context = council.server()
        for kind, agent in agents.items():
            wait_until(lambda: not agent.spooled, f"an empty spool: {kind}; it said {agent.said[-500:]}")  # noqa: B023  # waited for here
            assert servers[kind].reports >= 2
            assert "the collector takes reports again" in agent.said
            assert "Traceback" not in agent.said
