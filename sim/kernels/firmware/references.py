"""Facts, sums and premises as one reference each: what happens to a device passes pointers instead of some forty arrays, each of which would be counted."""

from __future__ import annotations

from numba import njit

from sim.kernels.firmware.columns import Facts, Homes, Sums
from sim.kernels.references import reference

FactsType, FactsRef = reference(Facts)
SumsType, SumsRef = reference(Sums)
HomesType, HomesRef = reference(Homes)


@njit(cache=True, nogil=True)
def facts_of(f):  # type: ignore[no-untyped-def]
    """Return a reference to the facts *f*."""
    return FactsRef(
        f.keys, f.transitions, f.han_s, f.asks_from, f.cut, f.permitted, f.listed_s, f.corrected_s, f.delisted_s, f.out_from_s, f.out_until_s, f.stale_edges,
        f.latency_edges, f.reports, f.over_air, f.channels,
    )


@njit(cache=True, nogil=True)
def sums_of(s):  # type: ignore[no-untyped-def]
    """Return a reference to the sums *s*."""
    return SumsRef(
        s.totals, s.bands, s.jobs, s.steps, s.latencies, s.local, s.readings, s.decisions, s.told, s.status, s.running, s.counted, s.suspended,
    )


@njit(cache=True, nogil=True)
def homes_of(h):  # type: ignore[no-untyped-def]
    """Return a reference to the premises *h*."""
    return HomesRef(h.next_s, h.reach, h.ready_s, h.exchanged_s, h.free_s, h.gain_s, h.install_s, h.gain_n, h.install_n)
