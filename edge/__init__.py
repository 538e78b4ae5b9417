"""The gateway worker: stream -> frame -> detections -> tracks -> observations -> outbox -> MQTT."""
