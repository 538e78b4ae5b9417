"""The page behind a unit's QR code, where a visitor or tenant registers a visit or a car."""
