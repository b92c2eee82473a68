"""The ledger: every rule about credits, claims, packets, leaves and notices, over a `Table`."""
