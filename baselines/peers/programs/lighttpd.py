"""lighttpd: one event loop in each process."""

from __future__ import annotations

import signal

from program import Program, Settings, whole_seconds


class Lighttpd(Program):
    """Says nothing of its work: its mod_status adds up once a second, which is too late at an end."""

    sentence = "lighttpd: an event loop for each CPU, answers from files"
    executable = "lighttpd"
    package = "lighttpd"
    stop_signal = signal.SIGINT

    def command(self, settings: Settings) -> list[str]:
        return ["-D", "-f", str(settings.folder / "configuration")]

    def configuration(self, settings: Settings, small_pages: dict[str, bytes]) -> str:
        timeout = whole_seconds(settings.idle_timeout_s)
        alias = f'alias.url = ("/file/" => "{settings.docroot}/")' if settings.docroot is not None else ""
        # With workers a parent watches over them; one process alone needs none.
        workers = f"server.max-worker = {settings.processes}" if settings.processes > 1 else ""
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        return f"""
server.modules = ("mod_alias")
server.bind = "{host}"
server.port = {settings.port}
server.listen-backlog = {settings.backlog}
server.document-root = "{settings.pages}"
server.tag = ""
server.event-handler = "linux-sysepoll"
server.network-backend = "sendfile"
server.stat-cache-engine = "simple"
server.follow-symlink = "disable"
server.max-fds = {2 * settings.max_connections + 128}
server.max-connections = {settings.max_connections}
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = {timeout}
server.max-read-idle = {timeout}
server.max-write-idle = {timeout}
server.max-request-size = 1024
server.feature-flags = ("server.graceful-shutdown-timeout" => 5)
{workers}
server.upload-dirs = ("{settings.folder}")
server.pid-file = "{settings.folder}/pid"
mimetype.assign = (".txt" => "text/plain", ".html" => "text/html", "" => "application/octet-stream")
{alias}
"""
