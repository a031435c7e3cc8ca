"""Training stages: render, autoencoder, latents, teacher (stage 1), student (stage 2)."""
