"""What is decided without looking at a device: releases, permitted paths, hours, campaigns. Shared by both engines."""
