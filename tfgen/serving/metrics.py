"""Counters and times for Prometheus."""

import contextlib
import time
from collections.abc import Iterator

import prometheus_client as prometheus
from prometheus_client.core import GaugeMetricFamily, Metric

from tfgen.serving.errors import ServingError
from tfgen.serving.registry import Registry
from tfgen.serving.versions import State

Labels = tuple[str, str, str]


def code_of(outcome: object) -> str:
    """Return the name of a reply's or an error's code."""
    if isinstance(outcome, ServingError):
        return outcome.code.name
    return "INTERNAL" if isinstance(outcome, Exception) else "OK"


class Metrics:
    """Metrics of one server, in its own registry.

    Args:
        registry: Models whose versions are reported.
    """

    def __init__(self, registry: Registry) -> None:
        self._collectors = prometheus.CollectorRegistry()
        labels = ("model", "signature", "protocol")
        self._requests = prometheus.Counter(
            "tfgen_requests", "Requests answered.", (*labels, "code"), registry=self._collectors
        )
        self._rows = prometheus.Counter(
            "tfgen_rows", "Rows computed.", labels, registry=self._collectors
        )
        self._seconds = prometheus.Histogram(
            "tfgen_request_seconds", "Time in the model.", labels, registry=self._collectors
        )
        self._running = prometheus.Gauge(
            "tfgen_requests_running", "Requests in the models.", registry=self._collectors
        )
        self._collectors.register(_Versions(registry))
        for collector in (prometheus.ProcessCollector, prometheus.PlatformCollector):
            collector(registry=self._collectors)

    @contextlib.contextmanager
    def time_request(self, model: str, signature: str, protocol: str) -> Iterator[None]:
        """Count and time the request that is answered within it."""
        begin, code = time.perf_counter(), "OK"
        try:
            with self.running(1):
                yield
        except Exception as error:
            code = code_of(error)
            raise
        finally:
            self.count((model, signature, protocol), code, time.perf_counter() - begin)

    @contextlib.contextmanager
    def running(self, requests: int) -> Iterator[None]:
        """Add to the number of requests in the models while within it."""
        self._running.inc(requests)
        try:
            yield
        finally:
            self._running.dec(requests)

    def count(self, labels: Labels, code: str, seconds: float) -> None:
        """Add an answered request of (model, signature, protocol)."""
        self._requests.labels(*labels, code).inc()
        self._seconds.labels(*labels).observe(seconds)

    def count_rows(self, labels: Labels, rows: int) -> None:
        """Add rows that were computed."""
        self._rows.labels(*labels).inc(rows)

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text form."""
        return prometheus.generate_latest(self._collectors)


class _Versions:
    """Collector of the versions that accept requests now."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        gauge = GaugeMetricFamily(
            "tfgen_version_available",
            "1 while a version takes requests.",
            labels=("model", "version"),
        )
        for name, model in self._registry.models.items():
            for number, version in list(model.versions.items()):
                gauge.add_metric((name, str(number)), float(version.state is State.AVAILABLE))
        yield gauge
