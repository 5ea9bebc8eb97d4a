"""Tables of a firmware world's life: images, campaigns, jobs, local attempts and decisions."""

from __future__ import annotations

from typing import Final

from sim.tables.column import OF_LEDGER, OF_LIVING, OF_MODEL, OF_REGION, Column, Table

OF_FIRMWARE: Final = (
    Table(
        "releases",
        "an image of a firmware world",
        "run",
        (
            OF_MODEL,
            OF_LIVING,
            Column("version", "int16", "", "Its number among the versions of the model, from 1."),
            Column(
                "release_class", "str", "", "security, defect, specification, feature or non_core."
            ),
            Column("built_s", "int64", "s", "When it was built."),
            Column("assured_s", "int64", "s", "When assurance was done."),
            Column("n_rejected", "int64", "", "Submissions to the CPL that were rejected."),
            Column("listed_s", "int64", "s", "When it was listed; -1 if never."),
            Column(
                "corrected_s", "int64", "s", "From when its listed data are right; -1 if never."
            ),
            Column("delisted_s", "int64", "s", "When it was taken off the list; -1 if never."),
            Column("local_s", "int64", "s", "When it was offered locally; -1 if never."),
        ),
    ),
    Table(
        "campaigns",
        "a version sent over the air",
        "run",
        (
            OF_MODEL,
            OF_LIVING,
            Column("version", "int16", "", "Its goal."),
            Column("release_class", "str", "", "Class of that version."),
            Column("due_s", "int64", "s", "When it became due."),
            Column("started_s", "int64", "s", "When its first group began; -1 if never."),
            Column("ended_s", "int64", "s", "When it ended; -1 if it did not."),
            Column(
                "ended",
                "str",
                "",
                "finished, aborted, stalled or superseded; running or waiting at the end.",
            ),
            Column("n_groups", "int64", "groups", "Groups begun, sweeps too."),
            Column("n_targets", "int64", "jobs", "Jobs offered."),
            Column("n_done", "int64", "jobs", "Jobs that ended as done or repaired."),
            Column(
                "n_failed",
                "int64",
                "jobs",
                "Jobs that failed and said so: refused, not activated, or a step that is not"
                " permitted.",
            ),
            Column(
                "n_silent",
                "int64",
                "jobs",
                "Jobs that ended otherwise: nobody told their sender how.",
            ),
            Column("n_withdrawn", "int64", "jobs", "Jobs withdrawn."),
        ),
    ),
    Table(
        "jobs",
        "a region, model, version and end",
        "run",
        (
            OF_REGION,
            OF_MODEL,
            OF_LIVING,
            Column("version", "int16", "", "Version sent."),
            Column(
                "ended",
                "str",
                "",
                "done, repaired, unheard, withdrawn, refused_hash, refused_listing, refused_hub,"
                " no_wan, wan_lost, han_failed, image_lost, activation_failed, not_permitted, or"
                " open at the end.",
            ),
            Column(
                "n", "int64", "jobs", "Jobs first offered for a second after warm-up that ended so."
            ),
        ),
    ),
    Table(
        "steps",
        "a region, device type and step of an attempt over the air",
        "run",
        (
            OF_REGION,
            OF_LIVING,
            Column(
                "step",
                "str",
                "",
                "offered, accepted, taken, held, activated, answered, recorded: how far attempts"
                " came.",
            ),
            Column(
                "n",
                "int64",
                "attempts",
                "Attempts made after warm-up (checked by the DSP then) that came so far.",
            ),
        ),
    ),
    Table(
        "latencies",
        "a device type, step and band of time",
        "run",
        (
            OF_LIVING,
            Column(
                "step",
                "str",
                "",
                "distribution (DSP to hub), han (hub to device), activation, response, or whole"
                " (DSP to record).",
            ),
            Column("low_s", "int64", "s", "Time from (inclusive)."),
            Column("high_s", "int64", "s", "Time to (exclusive)."),
            Column("n", "int64", "attempts", "Attempts made after warm-up that took so long."),
        ),
    ),
    Table(
        "local",
        "a device type, channel, image and outcome of a local attempt",
        "run",
        (
            OF_LIVING,
            Column("channel", "str", "", "Channel of the scenario."),
            Column(
                "image",
                "str",
                "",
                "listed (on the CPL then), unlisted, or variant (never submitted).",
            ),
            Column("screened", "bool", "", "Whether the device asked before it installed."),
            Column(
                "outcome",
                "str",
                "",
                "banned, blocked, busy, expired, gateway_down, not_permitted or installed.",
            ),
            Column("n", "int64", "attempts", "Attempts after warm-up."),
        ),
    ),
    Table(
        "readings",
        "a process that reads, device type and state",
        "run",
        (
            Column(
                "process",
                "str",
                "",
                "install, gain, call, compliance, incident, targeting, or audit (the sample of rule"
                " audit).",
            ),
            OF_LIVING,
            Column("state", "str", "", "right, wrong or unknown: what the SMI's record was."),
            Column("n", "int64", "reads", "Reads after warm-up."),
        ),
    ),
    Table(
        "decisions",
        "a process that decides on a read, device type and outcome",
        "run",
        (
            Column("process", "str", "", "gain, compliance, incident or targeting."),
            OF_LIVING,
            Column(
                "outcome",
                "str",
                "",
                "right, missed, wasted, wrong_path, false_compliance or false_alarm.",
            ),
            Column("price", "float64", "£", "What one such outcome costs."),
            Column("n", "int64", "decisions", "Decisions after warm-up."),
        ),
    ),
    Table(
        "told",
        "a kind of message of a firmware world",
        "run",
        (
            Column(
                "kind",
                "str",
                "",
                "version_report, carried (on other traffic), request, detail, image_request, image,"
                " activation, answer, repair_read; transferred, received, activated, cut (what"
                " makes alerts of these causes).",
            ),
            Column("n", "int64", "messages", "Messages after warm-up."),
        ),
    ),
    Table(
        "status",
        "a device type and a thing that is summed",
        "run",
        (
            OF_LIVING,
            Column(
                "what",
                "str",
                "",
                "suspended_s, unlisted_s (running what is not on the CPL), variant_s:"
                " device-seconds; suspended_end_n, variant_end_n: devices at the end; found_n,"
                " found_s: devices an audit found, and how long after their change; forgotten_n:"
                " hub records lost to an exchange.",
            ),
            Column("value", "int64", "", "The sum, after warm-up."),
        ),
    ),
    Table(
        "states",
        "a ledger, device type and moment of a firmware world",
        "run",
        (
            OF_LEDGER,
            OF_LIVING,
            Column(
                "at_s",
                "int64",
                "s",
                "Moment: the end of each step after warm-up, and of the window.",
            ),
            Column("n_wrong", "int64", "devices", "Records WRONG then."),
            Column("n_unknown", "int64", "devices", "Records UNKNOWN then."),
            Column(
                "n_behind",
                "int64",
                "devices",
                "Devices that run less than the highest version on the CPL then.",
            ),
            Column("n_suspended", "int64", "devices", "Devices Suspended then."),
        ),
    ),
    Table(
        "behind",
        "a device type, class of release and moment of a firmware world",
        "run",
        (
            OF_LIVING,
            Column(
                "release_class", "str", "", "A class of which there is a release for that type."
            ),
            Column("at_s", "int64", "s", "Moment, as in `states`."),
            Column(
                "n_behind",
                "int64",
                "devices",
                "Devices that run less than the highest version of that class on the CPL then.",
            ),
        ),
    ),
)
