"""AttestLayer's public core: formats, proofs and verification of record-only evidence kits.

Everything here is a function of bytes, except the modules that say they read or write
(`registry`, `mirror`, `monitor`, `witness`, `cli`).
"""
