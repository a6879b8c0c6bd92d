"""Figures for Prometheus on loopback. Needs the extra ``metrics``, which is loaded only where ``metrics:`` is configured."""

from __future__ import annotations

import logging
from collections.abc import Callable

from monitor.errors import ConfigError
from monitor.service.counters import DaemonCounters
from monitor.service.opening import Site

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"


def start_metrics(site: Callable[[], Site], counters: DaemonCounters) -> Callable[[], None]:
    """Answer on ``http://127.0.0.1:PORT/metrics`` until the function that this returns is called.

    ``site`` gives the one in force: a reload exchanges it; the port stays that of the start. Does nothing where no
    ``metrics:`` is configured. Raises ConfigError where the extra is not installed or the port is taken.
    """
    configured = site().settings.metrics
    if configured is None:
        return _nothing
    try:
        from prometheus_client import CollectorRegistry, start_http_server

        from monitor.service.scrape import Scrape
    except ModuleNotFoundError:
        raise ConfigError("`metrics:` needs an extra: run pip install 'bipn-monitor[metrics]'") from None
    registry = CollectorRegistry()
    registry.register(Scrape(site, counters))
    try:
        server, thread = start_http_server(configured.port, addr=LOOPBACK, registry=registry)
    except OSError:
        raise ConfigError(
            f"`metrics:` cannot listen on {LOOPBACK}:{configured.port}, another program does: change the port"
        ) from None
    log.info("figures for Prometheus", extra={"port": configured.port})

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop


def _nothing() -> None:
    return None
