"""The identity provider of the sandbox: who asks, and with what proof."""
