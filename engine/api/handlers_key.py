"""Calls about the key that proves recordings and exports: its public half, for everybody who is to verify them. Rule 24."""

from __future__ import annotations

from engine import wire_evidence
from engine.api.services import Call, Services
from storage.evidence.public_key import ALGORITHM, grouped


async def get_station_key(services: Services, call: Call[None, None]) -> wire_evidence.StationKeyView:
    key = services.keys.signer()
    return wire_evidence.StationKeyView(
        algorithm=ALGORITHM,
        public_key=key.public.base64,
        fingerprint=grouped(key.fingerprint),
        pem=key.public.pem,
        created_us=key.created_us,
    )
