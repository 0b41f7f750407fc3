"""nginx: a master process and one event loop for each CPU."""

from __future__ import annotations

import re
import signal

from program import STATUS_PATH, Program, Settings, Totals, milliseconds

# A parameter in nginx's configuration is at most 4,096 bytes long; backslashes count twice.
MOST_IN_MEMORY = 2048


class Nginx(Program):
    sentence = "nginx, small answers from memory (return 200), larger ones from files: its fastest form"
    executable = "nginx"
    package = "nginx"
    stop_signal = signal.SIGQUIT
    from_memory = True

    def command(self, settings: Settings) -> list[str]:
        return ["-p", str(settings.folder), "-e", "stderr", "-c", str(settings.folder / "configuration")]

    def configuration(self, settings: Settings, small_pages: dict[str, bytes]) -> str:
        timeout = f"{milliseconds(settings.idle_timeout_s)}ms"
        # A socket for each worker, as our own loops have: else the first to wake takes most clients.
        reuseport = " reuseport" if settings.processes > 1 else ""
        return f"""
daemon off;
{"user root root;" if settings.as_root else ""}
worker_processes {settings.processes};
worker_rlimit_nofile {settings.max_connections + 64};
worker_shutdown_timeout 5s;
pid {settings.folder}/pid;
error_log stderr error;
events {{
  use epoll;
  multi_accept on;
  worker_connections {settings.max_connections + 32};
}}
http {{
  access_log off;
  server_tokens off;
  default_type application/octet-stream;
  types {{ text/plain txt; text/html html; text/css css; application/json json; image/png png; }}
  sendfile on;
  open_file_cache max=10000 inactive=1h;
  open_file_cache_valid 1h;
  keepalive_timeout {timeout};
  keepalive_requests 1000000000;
  client_header_timeout {timeout};
  client_body_timeout {timeout};
  send_timeout {timeout};
  client_max_body_size 1m;
  large_client_header_buffers 4 16k;
{self._temporary_folders(settings)}
  server {{
    listen {settings.address} backlog={settings.backlog}{reuseport};
    root {settings.pages};
    location = {STATUS_PATH} {{ stub_status; }}
{self._locations(settings, small_pages)}
  }}
}}
"""

    @staticmethod
    def _temporary_folders(settings: Settings) -> str:
        kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        return "\n".join(f"  {kind}_temp_path {settings.folder}/{kind};" for kind in kinds)

    def _locations(self, settings: Settings, small_pages: dict[str, bytes]) -> str:
        lines = []
        if self.from_memory:
            for path, body in small_pages.items():
                if len(body) <= MOST_IN_MEMORY:
                    text = body.decode("ascii").replace("\\", "\\\\")
                    lines.append(f'    location = {path} {{ return 200 "{text}"; }}')
        if settings.docroot is not None:
            lines.append(f"    location /file/ {{ alias {settings.docroot}/; disable_symlinks if_not_owner; }}")
        return "\n".join(lines)

    def totals(self, status: str, own: int) -> Totals:
        found = re.search(r"requests\s+(\d+)\s+\d+\s+(\d+)", status)  # accepts handled requests
        own += 1  # the request for this page counts, too
        return Totals(int(found[1]) - own, int(found[2]) - own) if found else Totals()


class NginxStatic(Nginx):
    sentence = "nginx, all answers from files (sendfile and a cache of open files)"
    from_memory = False
