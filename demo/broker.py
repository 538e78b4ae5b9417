"""The demonstration's embedded MQTT broker (amqtt): loopback only, nothing kept, nobody checked.

A production site runs mosquitto with the configuration in configs/mosquitto/; this one is so that a
fresh machine needs no server. Run as ``python -m demo.broker PORT``.
"""

import asyncio
import logging
import signal
import sys

from amqtt.broker import Broker


def _configuration(port: int) -> dict[str, object]:
    return {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        "plugins": {
            "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True},
        },
    }


async def _serve(port: int) -> None:
    broker = Broker(_configuration(port))
    await broker.start()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    await broker.shutdown()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("amqtt").setLevel(logging.ERROR)
    asyncio.run(_serve(int(sys.argv[1])))
