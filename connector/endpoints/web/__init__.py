"""What every system behind HTTPS needs: one transport, trust, sign-in, patience and pace."""
