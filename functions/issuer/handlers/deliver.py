"""After each round (EventBridge Scheduler): finish the kits whose leaves are public."""

from typing import Any

from issuer.bootstrap.process import service
from issuer.bootstrap.telemetry import Metric, Telemetry

telemetry = Telemetry()


@telemetry.around
def handler(event: dict[str, Any], context: object) -> dict[str, object]:
    """Deliver every kit that can be finished. Answers their ids, and each failure with its leaf."""
    del event, context
    delivery = service().deliverer.run()
    telemetry.measure(Metric.KITS_DELIVERED, len(delivery.delivered))
    telemetry.measure(Metric.DELIVERY_FAILURES, len(delivery.failed))
    for leaf, why in delivery.failed:  # the next run tries them again
        telemetry.log_error("a kit can't be delivered", leaf=leaf, why=why)
    return {"delivered": list(delivery.delivered), "failed": [list(each) for each in delivery.failed]}
