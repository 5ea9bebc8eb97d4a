"""What reporting costs in messages and bytes, and what becomes of the messages."""

from __future__ import annotations

from sim.metrics.load import REPORT, Values, Window, mean_rate, totals, where
from sim.tables import Tables
from sim.units import added


def _per_device_year(tables: Tables, window: Window, n: float) -> Values:
    devices = int(where(tables["population"], what="reporting")["n"].sum())
    return {"all": n / devices / window.years} if devices else {}


def _sent(tables: Tables) -> int:
    return int(where(tables["fates"], kind=REPORT)["n"].sum())


def _told(tables: Tables, *kinds: str) -> int:
    """Return how many messages of *kinds* a firmware world counted, which sends them past the
    network; 0 in another.
    """
    return int(where(tables["told"], kind=kinds)["n"].sum()) if "told" in tables else 0


def reports_per_device_year(tables: Tables, window: Window) -> Values:
    """Version reports sent, whatever becomes of them, ÷ devices of the types that report ÷ years
    measured. Unit: reports per device-year.
    """
    return _per_device_year(tables, window, _sent(tables) + _told(tables, REPORT))


def messages_per_device_year(tables: Tables, window: Window) -> Values:
    """Version reports sent, requests for them and details that follow, ÷ devices of the types that
    report ÷ years measured. Unit: messages per device-year.
    """
    requests = int(where(tables["segments"], segment="wan", kind="request")["n"].sum())
    return _per_device_year(
        tables, window, _sent(tables) + requests + _told(tables, REPORT, "request", "detail")
    )


def messages_gbp_per_device_year(tables: Tables, window: Window) -> Values:
    """`messages_per_device_year` at the price of a message. Absent where none is given. Unit: £ per
    device-year.
    """
    prices = [
        price for price in where(tables["kinds"], kind=REPORT)["price_gbp"].tolist() if price >= 0
    ]
    return {
        name: price * n
        for name, n in messages_per_device_year(tables, window).items()
        for price in prices
    }


def report_share(tables: Tables, window: Window, *, fate: str) -> Values:
    """Share of the version reports sent that end in *fate*: n(fate) ÷ n. The shares of the seven
    fates add up to 1. Unit: share.
    """
    sent = _sent(tables)
    return (
        {"all": int(where(tables["fates"], kind=REPORT, fate=fate)["n"].sum()) / sent}
        if sent
        else {}
    )


def bytes_per_day(tables: Tables, window: Window, *, segment: str) -> Values:
    """Bytes a day on a *segment*: bytes ÷ days measured; GBCS bytes up to the DSP, XML bytes to
    users.

    Groups: kind; `all` is every kind together. Unit: B/d.
    """
    made = {
        kind: n / window.days
        for kind, n in totals(where(tables["segments"], segment=segment), "kind", "bytes").items()
    }
    return made | {"all": added(made.values())} if made else {}


def baseline_uplift_share(tables: Tables, window: Window) -> Values:
    """Version reports ÷ the messages that were there already, arriving at the DSP: what reporting
    adds to the load. Absent without any. Unit: share.
    """
    reports = mean_rate(tables, window, stage="dsp", kinds=(REPORT,)).get("all", 0)
    baseline = mean_rate(tables, window, stage="dsp", kinds=None).get("all", 0) - reports
    return {"all": reports / baseline} if baseline else {}
