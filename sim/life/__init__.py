"""A firmware world's devices, its rules as numbers, and its tables (docs/firmware.md)."""
