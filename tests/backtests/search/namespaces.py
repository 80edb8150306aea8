"""Network namespaces around a hub, as machines around a switch; nothing of them stays."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[3]
HUB = "10.99.0.1"


class Started(subprocess.Popen[str]):
    """A process in a namespace, and the file it writes to."""

    def __init__(self, command: Sequence[str], *, log: Path) -> None:
        self.log = log
        with log.open("w") as file:
            super().__init__(command, stdout=file, stderr=subprocess.STDOUT, text=True, cwd=ROOT)


class Network:
    """Namespaces by name, each with a link to the hub, through which alone they meet."""

    def __init__(self, *names: str) -> None:
        self.names = ("hub", *names)
        self._processes: list[Started] = []

    def address(self, name: str) -> str:
        return f"10.99.{self.names.index(name)}.2"

    def namespace(self, name: str) -> str:
        return f"sweep-{os.getpid()}-{name}"

    def set_up(self) -> None:
        for name in self.names:
            ip("netns", "add", self.namespace(name))
            ip("-n", self.namespace(name), "link", "set", "lo", "up")
        hub = self.namespace("hub")
        ip("-n", hub, "address", "add", f"{HUB}/32", "dev", "lo")
        for number, name in enumerate(self.names[1:], 1):
            there, near = self.namespace(name), f"10.99.{number}.1"
            pair = ("up0", "netns", there, "type", "veth", "peer", "name", name, "netns", hub)
            ip("link", "add", *pair)
            ip("-n", hub, "address", "add", f"{near}/30", "dev", name)
            ip("-n", there, "address", "add", f"{self.address(name)}/30", "dev", "up0")
            ip("-n", hub, "link", "set", name, "up")
            ip("-n", there, "link", "set", "up0", "up")
            ip("-n", there, "route", "add", "default", "via", near)

    def set_link(self, name: str, state: str) -> None:
        """Take the link of a namespace "down" or "up"."""
        ip("-n", self.namespace("hub"), "link", "set", name, state)

    def start(self, name: str, *arguments: str, log: Path) -> Started:
        """Start Python in a namespace; it ends with the network."""
        command = ["ip", "netns", "exec", self.namespace(name), sys.executable, *arguments]
        process = Started(command, log=log)
        self._processes.append(process)
        return process

    def tear_down(self) -> None:
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()
        for name in self.names:
            ip("netns", "delete", self.namespace(name), check=False)


def ip(*arguments: str, check: bool = True) -> None:
    subprocess.run(["ip", *arguments], check=check, capture_output=True, text=True)


@contextmanager
def network(*names: str) -> Iterator[Network]:
    made = Network(*names)
    try:
        made.set_up()
        yield made
    finally:
        made.tear_down()


def hindrance() -> str:
    """Return why this machine gives us no namespaces; empty where it does."""
    if not shutil.which("ip"):
        return "`ip` of iproute2 is not installed"
    name = f"sweep-{os.getpid()}-try"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    ip("netns", "delete", name, check=False)
    return made.stderr.strip() if made.returncode else ""


def relay_routes(targets: Sequence[tuple[int, str]]) -> list[str]:
    """Return the relay's arguments: the port of the hub is the port behind it too."""
    return [f"{port}={address}:{port}" for port, address in targets]
