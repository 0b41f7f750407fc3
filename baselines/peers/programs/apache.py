"""Apache: one program, three architectures."""

from __future__ import annotations

import math
import signal

from program import Program, Settings, milliseconds, whole_seconds

MODULES = "/usr/lib/apache2/modules"

# What Apache itself takes when nothing is said.
DEFAULT_PROCESSES = 256
DEFAULT_THREADS = 400


class Apache(Program):
    """Says nothing of its work: what mod_status counts costs two looks at the clock for each request."""

    executable = "apache2"
    package = "apache2-bin"
    stop_signal = signal.SIGWINCH
    mpm: str

    def command(self, settings: Settings) -> list[str]:
        return ["-d", str(settings.folder), "-f", str(settings.folder / "configuration"), "-DFOREGROUND"]

    def pool(self, settings: Settings) -> str:
        """The directives that say how many processes and threads there are: all from the start."""
        threads = settings.workers or DEFAULT_THREADS
        processes = min(settings.processes, threads)
        each = math.ceil(threads / processes)
        return f"""
ServerLimit {processes}
StartServers {processes}
ThreadLimit {each}
ThreadsPerChild {each}
MaxRequestWorkers {each * processes}
MinSpareThreads 1
MaxSpareThreads {each * processes}
"""

    def configuration(self, settings: Settings, small_pages: dict[str, bytes]) -> str:
        modules = [f"mpm_{self.mpm}", "authz_core", "alias", "mime", "reqtimeout", "file_cache"]
        timeout = whole_seconds(settings.idle_timeout_s)
        files = "\n".join(f'MMapFile "{settings.pages}{path}"' for path in small_pages)
        docroot = f'Alias "/file/" "{settings.docroot}/"' if settings.docroot is not None else ""
        return "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in modules) + f"""
DefaultRuntimeDir "{settings.folder}"
PidFile "{settings.folder}/pid"
ErrorLog /dev/stderr
LogLevel crit
ServerName localhost
ServerTokens Prod
{"User nobody" if settings.as_root else ""}
{"Group nogroup" if settings.as_root else ""}
Listen {settings.address}
ListenBacklog {settings.backlog}
GracefulShutdownTimeout 5
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout {milliseconds(settings.idle_timeout_s)}ms
Timeout {timeout}
RequestReadTimeout header={timeout} body={timeout}
MaxConnectionsPerChild 0
{self.pool(settings)}
TypesConfig /dev/null
AddType text/plain .txt
AddType text/html .html
EnableSendfile On
FileETag MTime Size
DocumentRoot "{settings.pages}"
{docroot}
<Directory />
  Options None
  AllowOverride None
  Require all granted
</Directory>
{files}
"""


class ApachePrefork(Apache):
    sentence = "Apache, prefork: a process for each connection (--workers, 256)"
    mpm = "prefork"

    def pool(self, settings: Settings) -> str:
        processes = settings.workers or DEFAULT_PROCESSES
        return f"""
ServerLimit {processes}
StartServers {processes}
MinSpareServers 1
MaxSpareServers {processes}
MaxRequestWorkers {processes}
"""


class ApacheWorker(Apache):
    sentence = "Apache, worker: a thread for each connection (--workers, 400), in a process for each CPU"
    mpm = "worker"


class ApacheEvent(Apache):
    sentence = "Apache, event: a thread for each request (--workers, 400), one that waits for idle connections"
    mpm = "event"

    def pool(self, settings: Settings) -> str:
        # How many idle connections a process keeps for each thread that has nothing to do; more are closed.
        factor = math.ceil(settings.max_connections / (settings.workers or DEFAULT_THREADS)) + 1
        return super().pool(settings) + f"AsyncRequestWorkerFactor {factor}\n"
