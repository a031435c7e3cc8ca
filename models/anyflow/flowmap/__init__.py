"""The mathematics of any-step video: schedule, chunks, masks, seeded noise, losses and the chunk-causal rollout."""
