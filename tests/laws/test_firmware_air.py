"""Updates over the air: how long, how many, and what they leave in the record (S1-14, MP105,
MP102).
"""

from __future__ import annotations

from math import ceil

import pytest

from tests.laws.firmware_worlds import DAY_S, counted, firmware_world, status
from tests.laws.significance import agrees
from tests.laws.worlds import fates, ledger

AIR = ("ppmid", "hcalcs", "esme", "gsme")
LOST = {
    "firmware.ota.response.loss": "40 %",
    "firmware.ota.response.patience": "1 d",
    "estate.premises": 1000,
}


def last_state(tables, column, of="smi"):
    """Return *column* of the table `states` at the horizon."""
    states = tables["states"]
    return int(
        states[(states["ledger"] == of) & (states["at_s"] == states["at_s"].max())][column].sum()
    )


@pytest.mark.parametrize("device_type", AIR)
@pytest.mark.parametrize("delay_s", [10, 600])
def test_the_record_is_wrong_only_while_the_answer_travels(device_type, delay_s):
    """Without a local channel and with no answer lost: to the second; and right ever after."""
    delay = {"firmware.ota.response.delay": f"{{low: {delay_s} s, high: {delay_s} s}}"}
    tables = firmware_world(delay, device_type=device_type)
    smi = ledger(tables, device_type=device_type)

    assert counted(tables["jobs"], "ended") == {"done": 400}
    assert (smi["n_changes"], smi["n_repairs"], smi["wrong_s"], smi["unknown_s"]) == (
        400,
        400,
        400 * delay_s,
        0,
    )
    assert last_state(tables, "n_wrong") == last_state(tables, "n_behind") == 0
    assert status(tables) == ({} if device_type == "ppmid" else {"suspended_s": 400 * delay_s})


@pytest.mark.parametrize(
    ("model", "seconds"),
    [
        ({"size": "480 B"}, 3),  # ten blocks, 250 ms apart
        ({"size": "481 B"}, 3),
        ({"size": "624 B"}, 4),  # thirteen blocks
        ({"size": "624 B", "sleepy": "true"}, 20),  # 1500 ms apart
        ({"size": "1 B"}, 1),
        ({"size": "256 kB"}, ceil(256_000 / 48 / 4)),
    ],
)
def test_the_han_takes_a_block_an_interval(model, seconds):
    """From the hub to the device, in the band of whole seconds it lies in; the whole adds 60 s to
    the hub and 10 s for the answer.
    """
    latencies = firmware_world({}, models={"it": model})["latencies"]

    for step, length_s in {
        "distribution": 60,
        "han": seconds,
        "activation": 0,
        "response": 10,
        "whole": 60 + seconds + 10,
    }.items():
        (row,) = latencies[latencies["step"] == step].itertuples()
        assert row.low_s <= length_s < row.high_s
        assert row.n == 400


def test_one_image_crosses_a_han_at_a_time():
    """Display and load control of a premises are sent their images in one second; the display's
    waits for nobody, the switch's for the display's.
    """
    releases = {
        "firmware.releases": (
            "[{model: it, class: defect, first: 1 d}, {model: other, class: defect, first: 1 d}]"
        )
    }
    both = {"it": {"size": "48 kB"}, "other": {"type": "hcalcs", "size": "48 kB"}}

    latencies = firmware_world(releases, models=both)["latencies"]

    han = latencies[latencies["step"] == "han"].set_index("device_type")
    assert han.loc["ppmid", "low_s"] <= 250 < han.loc["ppmid", "high_s"]
    assert han.loc["hcalcs", "low_s"] <= 500 < han.loc["hcalcs", "high_s"]
    assert han["n"].tolist() == [400, 400]


def test_a_lost_answer_leaves_a_display_wrong_and_unheard():
    """Without reports nobody ever finds out, and it is the share of answers that are lost."""
    runs = [firmware_world(LOST, replication) for replication in range(12)]

    for tables in runs:
        jobs = counted(tables["jobs"], "ended")
        assert set(jobs) == {"done", "unheard"}
        assert last_state(tables, "n_wrong") == jobs["unheard"]
        assert last_state(tables, "n_behind") == 0, "it runs what it was sent all the same"
    assert agrees((counted(tables["jobs"], "ended")["unheard"] / 1000 for tables in runs), 0.4)


@pytest.mark.parametrize("device_type", ["hcalcs", "esme", "gsme"])
@pytest.mark.parametrize("wait_s", [30, 3600])
def test_what_is_suspended_stays_so_without_mp105(device_type, wait_s):
    """Every answer lost leaves a device Suspended and its record wrong from activation to the end.
    """
    wait = {"firmware.ota.activation.wait": f"{{low: {wait_s} s, high: {wait_s} s}}"}
    no_mp105 = {"firmware.ota.mp105": "null"}
    tables = firmware_world(LOST | no_mp105 | wait, device_type=device_type)
    jobs, sums = counted(tables["jobs"], "ended"), status(tables)

    assert jobs["done"] + jobs["open"] == 1000
    assert (
        jobs["open"]
        == last_state(tables, "n_suspended")
        == last_state(tables, "n_wrong")
        == sums["suspended_end_n"]
        > 350
    )
    assert sums["suspended_s"] == 10 * jobs["done"] + jobs["open"] * (59 * DAY_S - 60 - 3 - wait_s)
    assert ledger(tables, device_type=device_type)["wrong_s"] == sums["suspended_s"]


@pytest.mark.parametrize("device_type", ["hcalcs", "esme", "gsme"])
@pytest.mark.parametrize("read_s", [7, 700])
def test_mp105_empties_suspended(device_type, read_s):
    """Each read costs a patience and the time of the read; all are repaired in the end, and the
    number of reads is that of a geometric law.
    """
    read = {"firmware.ota.mp105.read": f"{{low: {read_s} s, high: {read_s} s}}"}
    runs = [firmware_world(LOST | read, replication, device_type) for replication in range(8)]

    for tables in runs:
        jobs = counted(tables["jobs"], "ended")
        n_reads = counted(tables["told"], "kind")["repair_read"]
        assert set(jobs) == {"done", "repaired"}
        assert last_state(tables, "n_suspended") == last_state(tables, "n_wrong") == 0
        wrong_s = 1000 * 10 + n_reads * (DAY_S + read_s)
        assert status(tables) == {"suspended_s": wrong_s}
        assert ledger(tables, device_type=device_type)["wrong_s"] == wrong_s
    assert agrees(
        (counted(tables["told"], "kind")["repair_read"] / 1000 for tables in runs), 0.4 / 0.6
    )


def test_those_stuck_are_read_on_the_day_mp105_begins():
    """A re-sent 11.3 repairs nothing; then one read finds every device that the first answer left
    Suspended.
    """
    loss = LOST | {"firmware.ota.mp105.start": "40 d"}

    tables = firmware_world(loss, device_type="esme")

    jobs, n_reads = counted(tables["jobs"], "ended"), counted(tables["told"], "kind")["repair_read"]
    until_s = 40 * DAY_S - (DAY_S + 60 + 3 + 30)
    again = n_reads - jobs["repaired"]
    assert again > 0
    assert status(tables)["suspended_s"] == 10 * jobs["done"] + jobs["repaired"] * (
        until_s + 7
    ) + again * (DAY_S + 7)


@pytest.mark.parametrize(("retries", "loss"), [(0, "0 %"), (0, "60 %"), (2, "60 %")])
def test_a_read_that_finds_the_old_version_tells_a_failure(retries, loss):
    """Of activations 30 % fail. Whether the answer comes or a read has to be made, a job ends as
    recorded where the device runs the version, and as failed where it does not: 0.3^(r + 1).
    """
    settings = {
        "firmware.ota.activation.failure": "30 %",
        "firmware.ota.response.loss": loss,
        "firmware.ota.retries": retries,
        "firmware.ota.retry_after": "1 d",
        "estate.premises": 1000,
    }
    runs = [firmware_world(settings, replication, "esme") for replication in range(8)]

    for tables in runs:
        jobs, steps = counted(tables["jobs"], "ended"), counted(tables["steps"], "step")
        recorded = jobs["done"] + jobs.get("repaired", 0)
        assert recorded + jobs["activation_failed"] == 1000
        assert recorded == steps["recorded"] == steps["activated"]
        assert last_state(tables, "n_behind") == jobs["activation_failed"]
        assert last_state(tables, "n_wrong") == last_state(tables, "n_suspended") == 0
        (campaign,) = tables["campaigns"].itertuples()
        ends = (campaign.n_done, campaign.n_failed, campaign.n_silent)
        assert ends == (recorded, jobs["activation_failed"], 0)
    failed = (counted(tables["jobs"], "ended")["activation_failed"] / 1000 for tables in runs)
    assert agrees(failed, 0.3 ** (retries + 1))


@pytest.mark.parametrize(
    ("settings", "ended"),
    [
        ({"firmware.off": "{hcalcs: 40 %}"}, "finished"),
        ({"firmware.ota.loss": "40 %"}, "finished"),
        ({"firmware.ota.response.loss": "40 %", "firmware.ota.mp105": "null"}, "finished"),
        ({"firmware.ota.activation.failure": "40 %"}, "aborted"),
        ({"firmware.ota.hub_ready.curve": "[{share: 60 %, time: 0 s}]"}, "aborted"),
        ({"firmware.pipeline.data_error": "100 %"}, "aborted"),
    ],
)
def test_a_gate_sees_what_is_told_and_not_silence(settings, ended):
    """Two groups, a threshold of 10 %: 40 % that never say a word let the second group begin, 40 %
    that tell their failure do not.
    """
    gates = {
        "firmware.campaign.ramp": (
            "{kind: groups, step: 1 s, shares: [50 %, 50 %], share: null, first: null, factor:"
            " null}"
        ),
        "firmware.campaign.error_threshold": "10 %",
        "firmware.campaign.least": 20,
        "firmware.campaign.success_threshold": "80 %",
    }
    (campaign,) = firmware_world(gates | settings, 0, "hcalcs")["campaigns"].itertuples()

    assert (campaign.ended, campaign.n_groups) == (ended, 2 if ended == "finished" else 1)
    apart = (
        campaign.n_silent if "mp105" not in str(settings) else campaign.n_targets - campaign.n_done
    )
    assert (apart > 60, campaign.n_failed > 60) == (ended == "finished", ended == "aborted")


@pytest.mark.parametrize("retries", [0, 2, 7])
def test_an_image_that_is_lost_is_sent_again_as_often_as_may_be(retries):
    """p^(r + 1) of the jobs fail; attempts are those of a truncated geometric law."""
    lossy = {
        "firmware.ota.loss": "60 %",
        "firmware.ota.retries": retries,
        "firmware.ota.retry_after": "1 d",
        "estate.premises": 1000,
    }

    runs = [firmware_world(lossy, replication) for replication in range(10)]

    assert agrees(
        (counted(tables["jobs"], "ended").get("wan_lost", 0) / 1000 for tables in runs),
        0.6 ** (retries + 1),
    )
    if retries:
        attempts = (counted(tables["steps"], "step")["offered"] / 1000 for tables in runs)
        assert agrees(attempts, (1 - 0.6 ** (retries + 1)) / 0.4)
    for tables in runs:
        steps = counted(tables["steps"], "step")
        assert (
            steps["taken"]
            == steps["held"]
            == steps["recorded"]
            == counted(tables["jobs"], "ended")["done"]
        )
        assert counted(tables["told"], "kind")["image"] == steps["accepted"] == steps["offered"]


def test_eight_interruptions_are_the_end_of_a_transfer():
    """Half of the transfers are interrupted, again and again: one in 256 never ends well."""
    lossy = {
        "firmware.ota.interruption": "50 %",
        "firmware.ota.resume": "1 h",
        "estate.premises": 2000,
    }

    runs = [firmware_world(lossy, replication) for replication in range(10)]

    assert agrees((counted(tables["jobs"], "ended")["han_failed"] / 2000 for tables in runs), 2**-8)
    # 3 s, and an hour for each interruption
    bands = {
        2: 2**-1,
        2_896: 2**-2,
        5_792: 2**-3,
        8_192: 2**-4,
        11_585: 2**-5,
        16_384: 2**-6 + 2**-7,
        23_170: 2**-8,
    }
    for low_s, share in bands.items():
        assert agrees(
            (counted(tables["latencies"], "low_s", step="han")[low_s] / 2000 for tables in runs),
            share,
        )


@pytest.mark.parametrize(
    ("settings", "device_type", "ended"),
    [
        ({"estate.no_wan_share": "100 %"}, "ppmid", "no_wan"),
        ({"estate.no_wan_share": "100 %"}, "esme", "no_wan"),
        ({"firmware.off.ppmid": "100 %"}, "ppmid", "han_failed"),
        (
            {"firmware.ota.hub_ready": "{start: 50 d, curve: [{share: 100 %, time: 0 s}]}"},
            "ppmid",
            "refused_hub",
        ),
        (
            {"firmware.ota.hub_ready": "{start: 0 d, curve: [{share: 0 %, time: 0 s}]}"},
            "hcalcs",
            "refused_hub",
        ),
        (
            {"firmware.ota.hub_ready": "{start: 0 d, curve: [{share: 0 %, time: 0 s}]}"},
            "esme",
            "done",
        ),
        (
            {"firmware.pipeline.data_error": "100 %", "firmware.pipeline.correction": "5 d"},
            "ppmid",
            "refused_hash",
        ),
        (
            {
                "firmware.pipeline.data_error": "100 %",
                "firmware.pipeline.correction": "5 d",
                "firmware.campaign.lead": "5 d",
            },
            "ppmid",
            "done",
        ),
        ({"firmware.ota.activation.failure": "100 %"}, "esme", "activation_failed"),
    ],
)
def test_a_whole_estate_ends_alike(settings, device_type, ended):
    """What stands in the way of all stops all, and leaves every record right: nothing has changed.
    """
    tables = firmware_world(settings, device_type=device_type)

    assert counted(tables["jobs"], "ended") == {ended: 400}
    assert last_state(tables, "n_wrong") == 0
    assert last_state(tables, "n_behind") == (0 if ended == "done" else 400)
    assert ledger(tables, device_type=device_type)["n_changes"] == (400 if ended == "done" else 0)


def test_what_is_taken_off_the_list_while_it_waits_is_refused():
    """Offered evenly over two days, of which the listing covers one."""
    withdrawn = {
        "firmware.pipeline.withdrawn": "100 %",
        "firmware.pipeline.withdrawn_after": "1 d",
        "firmware.campaign.ramp.step": "2 d",
        "estate.premises": 4000,
    }

    shares = [
        counted(firmware_world(withdrawn, replication)["jobs"], "ended")["refused_listing"] / 4000
        for replication in range(8)
    ]

    assert agrees(shares, 0.5)


@pytest.mark.parametrize(("low_s", "high_s"), [(60, 600), (120, 360)])
def test_an_activation_that_cuts_the_supply_is_told_as_an_outage(low_s, high_s):
    """MP102: as many cuts as the model's share of activations; an outage is told of those that
    outlast three minutes, and the end of each.
    """
    world = {
        "alerts.active": "[false_outage, false_restored]",
        "network": "[{stage: dsp}]",
        "firmware.ota.cut_length": f"{{low: {low_s} s, high: {high_s} s}}",
        "estate.premises": 1000,
    }
    cut = {"it": {"cut": "30 %"}}

    runs = [firmware_world(world, replication, "esme", cut) for replication in range(8)]

    assert agrees((counted(tables["told"], "kind")["cut"] / 1000 for tables in runs), 0.3)
    for tables in runs:
        assert fates(tables, "false_restored") == {
            "delivered": counted(tables["told"], "kind")["cut"]
        }
    long = (high_s - 180) / (high_s - low_s + 1)
    assert agrees(
        (fates(tables, "false_outage")["delivered"] / 1000 for tables in runs), 0.3 * long
    )
