"""The hub: MQTT -> observation -> rule match -> alert -> command centre, with store and API."""
