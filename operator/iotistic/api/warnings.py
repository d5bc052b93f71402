"""What is allowed and may still surprise."""

from __future__ import annotations

from collections.abc import Iterator

from iotistic.api.app import App
from iotistic.api.service import Service, Strategy


def warnings_of(app: App) -> list[str]:
    """One sentence for each thing that works but may not be what was meant."""
    return [f"App {app.name}, {warning}" for service in app.spec.services for warning in _of(service, app)]


def _of(service: Service, app: App) -> Iterator[str]:
    strategy = service.update.strategy if service.update else app.spec.update.strategy
    if strategy is Strategy.HAND_OVER:
        yield from _of_hand_over(service, app)


def _of_hand_over(service: Service, app: App) -> Iterator[str]:
    name = f"service {service.name}"
    for mount in service.volume_mounts:
        volume = app.volume(mount.name)
        shared = volume is not None and (volume.named or volume.host_path is not None)
        if shared and not mount.read_only:
            yield (
                f"{name}: with HandOver the old and the new container both write to volume {mount.name} "
                "for a while; make it readOnly, or choose another strategy, if that would harm it"
            )
    held = [f"host port {port}" for port in _bound_ports(service)]
    held += [f"address {one.ipv4_address}" for one in service.networks.values() if one and one.ipv4_address]
    if held:
        yield (
            f"{name}: {', '.join(held)} can't be had by two at once, so with HandOver the old container "
            "stops before the new one starts: requests fail in between"
        )
    if not service.probes:
        yield (
            f"{name}: without a readinessProbe HandOver can't tell when the new container is ready; "
            "it goes over soon after that runs"
        )


def _bound_ports(service: Service) -> list[int]:
    if service.network_mode == "host":
        return [port.container_port for port in service.ports]
    return [port.host_port for port in service.ports if port.host_port is not None]
