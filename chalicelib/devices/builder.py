"""Building of the services for devices."""

from typing import TYPE_CHECKING

from chalicelib.contributions.rules import load_rules
from chalicelib.devices.bundle import BundleService
from chalicelib.devices.checks import FieldChecker
from chalicelib.devices.device_states import DeviceStateService
from chalicelib.http.problems import list_shape_errors

if TYPE_CHECKING:
    from chalicelib.container import Container


def build_field_checker(container: "Container") -> FieldChecker:
    return FieldChecker(
        campaigns=container.campaigns,
        quote_service=container.quotes,
        age_limits=container.age_limits,
        clock=container.clock,
        list_shape_errors=list_shape_errors,
    )


def build_device_state_service(container: "Container") -> DeviceStateService:
    return DeviceStateService(clients=container.clients, captures=container.reading, clock=container.clock)


def build_bundle_service(container: "Container") -> BundleService:
    return BundleService(
        campaigns=container.campaigns,
        contribution_rules=load_rules(),
        age_limits=container.age_limits,
        kiosk_minute_cap=container.settings.kiosk_minute_cap,
        get_rescue_key=container.rescue_keys.get_current,
        clock=container.clock,
    )
