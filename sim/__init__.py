"""A simulator of Great Britain's smart-metering estate."""
