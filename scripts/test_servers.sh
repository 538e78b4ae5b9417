#!/usr/bin/env bash
# The servers that tests/integration and tests/e2e start on ports and folders of their own.
set -euo pipefail
cd "$(dirname "$0")"
missing=()
command -v mosquitto >/dev/null 2>&1 || [ -x /usr/sbin/mosquitto ] || missing+=(mosquitto)
# A real RTSP server: GStreamer's, driven by the system's Python.
/usr/bin/python3 -c '
import gi
gi.require_version("Gst", "1.0"); gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
assert Gst.ElementFactory.find("rtph264pay")' >/dev/null 2>&1 ||
  missing+=(gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-good)
# A browser that plays the clips.
command -v chromium >/dev/null 2>&1 || missing+=(chromium)
[ ${#missing[@]} -eq 0 ] || ./apt.sh "${missing[@]}"
